"""The fast way to run a network: its layers written as one LiteRT graph. Knows no Keras and no TensorFlow."""
