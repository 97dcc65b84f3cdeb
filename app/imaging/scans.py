"""How often a JPEG draws over itself: a progressive one comes in scans, each a pass over all of the picture."""

import re

_MARKER = re.compile(rb"\xff([^\x00\xff])")
_SCAN, _END = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # what has no length: in a scan's data, and the picture's start


def count_scans(jpeg: bytes, most: int) -> int:
    """The scans up to the picture's end, counted no further than one more than the most.

    A few bytes make a scan, and a large picture's takes milliseconds: megabytes of them would take hours.
    """
    scans = place = 0
    while scans <= most and (found := _MARKER.search(jpeg, place)):
        marker, place = found[1][0], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker not in _ALONE:
            place += int.from_bytes(jpeg[place : place + 2])
    return scans
