"""The network and its vocabulary. Knows no HTTP, no HTML, no PNG."""

import os

# Read when Keras and TensorFlow are first imported, which is from here down: this app is written for Keras on
# TensorFlow, whatever a person's own Keras is set to, and TensorFlow's notes on the processor say nothing to them.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
