"""Real digits over HTTP."""
