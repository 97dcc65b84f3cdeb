"""The page in a notebook: a server that ends with the kernel, and a frame that shows it."""
