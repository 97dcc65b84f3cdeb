"""Two networks side by side, over HTTP."""
