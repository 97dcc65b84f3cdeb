"""A network over a whole set of pictures: what each of its maps looks for, and where each picture lies for a layer."""
