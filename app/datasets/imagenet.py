"""The names of ImageNet's 1,000 classes. LICENSE.md names their source."""

from pathlib import Path

CLASSES = (Path(__file__).parent / "imagenet-classes.txt").read_text(encoding="utf-8").splitlines()
