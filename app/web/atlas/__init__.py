"""What maps look for, over HTTP."""
