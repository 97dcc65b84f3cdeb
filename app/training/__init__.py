"""From MNIST and real pen strokes to the models in models/, each with its card. The app never imports this."""

import app.cnn  # noqa: F401  It chooses Keras' backend, which must happen before Keras is imported.
