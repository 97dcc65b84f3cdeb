"""The models on disk: their files, cards and uploads, and what a scan found in each."""
