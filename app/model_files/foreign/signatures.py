"""Formats that are told by fixed bytes at a fixed place."""

from .sample import Sample
from .sentences import (
    CHECKPOINT,
    DATA,
    PACKED,
    PICTURE,
    PYTORCH,
    REBUILD,
    TFLITE,
)

_PICKLE = (
    "This is a Python pickle, which runs code when it is loaded; Layerglass does not open it. In the Python that wrote "
    "it, load it and save the Keras model inside with model.save('name.keras')."
)
_PDF = (
    "This is a PDF document, not a model. To have a digit in it read, save its page as a PNG or JPEG picture and drop "
    "that on the page."
)
_NUMPY = DATA.format("a NumPy array (.npy)")
_OTHER = "This is a model of {}, not of Keras. " + REBUILD

# The bytes, where they begin, the sentence. Those that say most come first.
_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", 0, PYTORCH),  # before PyTorch 1.6
    *((b"\x80" + bytes((protocol,)), 0, _PICKLE) for protocol in range(2, 6)),
    (b"\x93NUMPY", 0, _NUMPY),
    (b"TFL", 4, TFLITE),
    (b"\x89PNG", 0, PICTURE.format("PNG")),
    (b"\xff\xd8\xff", 0, PICTURE.format("JPEG")),
    (b"GIF8", 0, PICTURE.format("GIF")),
    (b"WEBP", 8, PICTURE.format("WebP")),
    (b"II*\x00", 0, PICTURE.format("TIFF")),
    (b"MM\x00*", 0, PICTURE.format("TIFF")),
    *((b"ftyp" + brand, 4, PICTURE.format("HEIF")) for brand in (b"heic", b"heix", b"mif1", b"msf1")),
    (b"ftypavif", 4, PICTURE.format("AVIF")),
    (b"8BPS", 0, PICTURE.format("Photoshop")),
    (b"%PDF", 0, _PDF),
    (b"\x1f\x8b", 0, PACKED.format("gzip")),
    (b"BZh", 0, PACKED.format("bzip2")),
    (b"\xfd7zXZ", 0, PACKED.format("xz")),
    (b"\x28\xb5\x2f\xfd", 0, PACKED.format("Zstandard")),
    (b"7z\xbc\xaf\x27\x1c", 0, PACKED.format("7z")),
    (b"Rar!", 0, PACKED.format("rar")),
    (b"ustar", 257, PACKED.format("tar")),
    (b"MATLAB ", 0, DATA.format("a MATLAB file")),
    (b"GGUF", 0, _OTHER.format("llama.cpp (GGUF)")),
    (b"ptrt", 0, _OTHER.format("TensorRT")),
    (b"ftrt", 0, _OTHER.format("TensorRT")),
    (b"\x12\x01\x00\x00\x00\x00\x00\x00", 0, _OTHER.format("MXNet")),
)
_TABLE_END = bytes.fromhex("57fb808b247547db")  # of the sorted tables that TensorFlow keeps an index in
_DARKNET_VERSIONS = {bytes((0, 0, 0, 0, minor, 0, 0, 0)) for minor in (1, 2)}
_SAFETENSORS = (
    "This is a safetensors file: weights without the layers that they belong to. Build the model in Keras, set its "
    "weights from it, and save that with model.save('name.keras')."
)
_ZEROS = "The file holds nothing but zeros, as one does whose download did not finish. Download or copy it again."


def describe_signature(sample: Sample) -> str | None:
    """Return the sentence about a format with fixed bytes; None for any other."""
    head = sample.head
    for signature, place, sentence in _SIGNATURES:
        if head[place : place + len(signature)] == signature:
            return sentence
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return PICTURE.format("BMP")
    if head[8:9] == b"{" and head[9:10] in b'"} ' and head[6:8] == bytes(2):
        return _SAFETENSORS
    if sample.tail.endswith(_TABLE_END):
        return CHECKPOINT
    if not head.strip(b"\0"):
        return _ZEROS
    if head[:8] in _DARKNET_VERSIONS and head[9:12] == bytes(3):
        return _OTHER.format("Darknet")
    return None
