"""A model as its file describes it: names and settings, checked one by one, and made a plan of what is to be built."""
