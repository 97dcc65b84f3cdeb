"""Files that are no pictures to be read here: each is named, and told what to do instead."""

import struct

import pytest

from app.imaging.drawing import InvalidDrawing, decode
from app.imaging.foreign import name_foreign
from tests.imaging.test_tiff import grey, tiff
from tests.pictures import draw_four, encode


def brand(*names: bytes) -> bytes:
    content = names[0] + bytes(4) + b"".join(names[1:])
    return struct.pack(">I", 8 + len(content)) + b"ftyp" + content + bytes(200)


FILES = {
    "HEIC": [brand(b"heic", b"mif1", b"heic"), brand(b"mif1", b"heic"), brand(b"heix"), brand(b"msf1", b"hevc")],
    "SVG": [b"<svg xmlns='x'/>", b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a comment -->\n<svg>", b" \n<SVG></SVG>"],
    "PDF": [b"%PDF-1.7\n", b"\n%PDF-1.4"],
    "Photoshop": [b"8BPS\0\1"],
    "GIMP": [b"gimp xcf v011"],
    "JPEG XL": [b"\xff\x0a\1", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51\0"],
    "CR2": [b"II*\0\x10\0\0\0CR\2\0"],
    "CR3": [brand(b"crx ", b"crx ", b"isom")],
    "DNG": [tiff(grey(9, 9, t50706=[1, 4, 0, 0]))],
    "NEF or ARW": [tiff(grey(9, 9, t254=[1], t330=[400])), tiff(grey(9, 9, t262=[32803]))],
    "RAF": [b"FUJIFILMCCD-RAW 0201"],
    "ORF": [b"IIRO\x08\0"],
    "RW2": [b"IIU\0\x08"],
    "video": [
        *(brand(b"isom", b"mp41"), brand(b"qt  "), brand(b"M4V "), brand(b"3gp4"), b"\0\0\0\x08wide\0\0\0\0mdat"),
        *(b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI LIST", b"\0\0\1\xba", b"OggS", b"FLV\1"),
    ],
    "Office": [
        b"PK\3\4" + bytes(26) + b"[Content_Types].xml",
        b"PK\3\4" + bytes(26) + b"word/document.xml",
        b"PK\3\4" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ],
    "web page": [b"<!DOCTYPE html><html>", b"\n<html lang='en'>"],
    "PostScript": [b"%!PS-Adobe-3.0"],
    "icon": [b"\0\0\1\0\1\0"],
    "DICOM": [bytes(128) + b"DICM"],
    "OpenEXR": [b"v/1\1"],
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, files in FILES.items() for data in files])
def test_a_file_is_named_and_told_what_to_do(name: str, data: bytes) -> None:
    with pytest.raises(InvalidDrawing, match=f"^This is an? .*{name}.* which is not read here") as caught:
        decode(data)
    assert str(caught.value).count(". ") >= 1 and str(caught.value).endswith(".")


def test_an_iphone_is_told_its_setting() -> None:
    with pytest.raises(InvalidDrawing, match=r"screenshot.* Settings > Camera > Formats > Most Compatible"):
        decode(FILES["HEIC"][0])


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "TGA"])
def test_what_is_read_is_not_foreign(format: str) -> None:
    data = encode(draw_four(40).convert("RGB"), format)
    assert name_foreign(data) is None
    assert decode(data).size == (40, 40)


@pytest.mark.parametrize("data", [b"", b"\0", b"not a picture", b"PK\3\4model.json", b"<x>", b"II*\0", bytes(200)])
def test_what_is_unknown_is_not_named(data: bytes) -> None:
    assert name_foreign(data) is None
