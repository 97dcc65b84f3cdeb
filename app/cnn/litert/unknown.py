class Unknown(NotImplementedError):
    """The fast way does not know how to compute something; the plain way does."""
