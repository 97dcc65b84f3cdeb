"""`python -m benchmarks`: every benchmark that needs no file."""

from benchmarks import one_drawing

one_drawing.main()
