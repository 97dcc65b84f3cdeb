"""Networks run by LiteRT: all layers as one graph. Knows no Keras and no TensorFlow."""
