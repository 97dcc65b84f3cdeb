"""A running server's models, with the interface of a model in this process."""
