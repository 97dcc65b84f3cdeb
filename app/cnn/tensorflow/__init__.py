"""Networks as Keras models: what runs what the fast way does not know, and what training needs.

Whoever imports from here waits for TensorFlow to start, so the server does it only for a model that needs it.
"""
