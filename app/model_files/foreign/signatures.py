"""Formats that are told by fixed bytes at a fixed place."""

from .sentences import CHECKPOINT, DATA, PACKED, PICTURE, PYTORCH, TFLITE

_PICKLE = (
    "This is a Python pickle, which runs code when it is loaded; Layerglass does not open it. In the Python that wrote "
    "it, load it and save the Keras model inside with model.save('name.keras')."
)
_SAFETENSORS = (
    "This is a safetensors file: weights without the layers that they belong to. Build the model in Keras, set its "
    "weights from it, and save that with model.save('name.keras')."
)
_ZEROS = "The file holds nothing but zeros, as one does whose download did not finish. Download or copy it again."

# The bytes, where they begin, the sentence. Those that say most come first.
_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", 0, PYTORCH),  # before PyTorch 1.6
    *((b"\x80" + bytes((protocol,)), 0, _PICKLE) for protocol in range(2, 6)),
    (b"TFL", 4, TFLITE),
    (b"\x89PNG", 0, PICTURE.format("PNG")),
    (b"\xff\xd8\xff", 0, PICTURE.format("JPEG")),
    (b"GIF8", 0, PICTURE.format("GIF")),
    (b"WEBP", 8, PICTURE.format("WebP")),
    (b"II*\x00", 0, PICTURE.format("TIFF")),
    (b"MM\x00*", 0, PICTURE.format("TIFF")),
    (b"ftypavif", 4, PICTURE.format("AVIF")),
    (b"\x93NUMPY", 0, DATA.format("a NumPy array (.npy)")),
    (b"MATLAB ", 0, DATA.format("a MATLAB file")),
    (b"\x1f\x8b", 0, PACKED.format("gzip")),
    (b"BZh", 0, PACKED.format("bzip2")),
    (b"\xfd7zXZ", 0, PACKED.format("xz")),
    (b"\x28\xb5\x2f\xfd", 0, PACKED.format("Zstandard")),
    (b"7z\xbc\xaf\x27\x1c", 0, PACKED.format("7z")),
    (b"Rar!", 0, PACKED.format("rar")),
    (b"ustar", 257, PACKED.format("tar")),
)
_TABLE_END = bytes.fromhex("57fb808b247547db")  # of the sorted tables that TensorFlow keeps an index in


def describe_signature(data: bytes) -> str | None:
    """Return the sentence about a format with fixed bytes; None for any other."""
    for signature, place, sentence in _SIGNATURES:
        if data[place : place + len(signature)] == signature:
            return sentence
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return PICTURE.format("BMP")
    if data[8:9] == b"{" and data[9:10] in b'"} ' and data[6:8] == bytes(2):  # JSON behind its length in 8 bytes
        return _SAFETENSORS
    if data.endswith(_TABLE_END):
        return CHECKPOINT
    return None if data.strip(b"\0") else _ZEROS
