class ImageTooSmall(ValueError):
    """A network for images of any size was given one that its windows do not fit in."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__(
            f"An image of {width}×{height} pixels is too small for this model: the windows of its layers do not fit "
            "in. Send a larger drawing."
        )
