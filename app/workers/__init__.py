"""Worker processes for what came out of other people's files: one opens the files, others run the networks."""
