"""Experiments over HTTP."""
