"""Layerglass without a page: models and runs for scripts, notebooks and papers."""
