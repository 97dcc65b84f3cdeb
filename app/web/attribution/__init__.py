"""HTTP for "why this answer"."""
