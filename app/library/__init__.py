"""Where models lie: the files that are there, the cards beside them, and what was found in each."""
