"""Tests of app/lab."""
