"""Middleware: checks, limits, headers and the log line of every request."""
