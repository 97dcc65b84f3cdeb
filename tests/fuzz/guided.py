"""`python -m tests.fuzz.guided [libFuzzer's options]`: pictures again, by atheris, which looks for new code to reach.

Its group of dependencies is `fuzz`; there are packages of it for Linux only.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["app.imaging", "PIL"]):
    import PIL.AvifImagePlugin
    import PIL.BmpImagePlugin
    import PIL.GifImagePlugin
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import PIL.PpmImagePlugin
    import PIL.TgaImagePlugin
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin  # noqa: F401

    import app.imaging.ink
    import app.imaging.resize  # noqa: F401

from tests.fuzz.pictures import check, seeds


def main() -> None:
    """Fuzz until libFuzzer's options say to stop, or bytes are found that break something."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, folder], lambda data: check(data) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
