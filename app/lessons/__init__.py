"""Lessons: text files that a student follows beside the live page, and the questions in them."""
