"""Real handwritten digits that come with Layerglass."""
