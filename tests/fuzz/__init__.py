"""What malformed pictures and model files can do. Not part of the tests: `make fuzz` runs it for five minutes."""
