"""Sentences that several kinds of file share."""

_REBUILD = (
    "Layerglass opens Keras models: build the same layers in Keras, set their weights from it, and save that with "
    "model.save('name.keras')."
)
FRAMEWORK = "This is a model of {}, not of Keras. " + _REBUILD
CONFIGURATION = "This is the configuration of a {} network, without its weights. " + _REBUILD
PYTORCH = (
    "This is a PyTorch file. Layerglass opens Keras models: build the same layers in Keras, set their weights (a "
    "Linear's transposed, a Conv2d's with weight.permute(2, 3, 1, 0)), and save that with model.save('name.keras')."
)
SAVED_MODEL_OF_KERAS_2 = (
    "This is a SavedModel of Keras 2, whose graph Layerglass does not run. Where its whole folder is, save it as one "
    "file: tf_keras.models.load_model('folder').save('name.h5'), with the package tf_keras."
)
SAVED_MODEL = (
    "This is a SavedModel that was exported to be run, without the layers of the model. Bring the Keras model that it "
    "was exported from, saved with model.save('name.keras'). If there is none, build the same layers in Keras and set "
    "their weights: model.set_weights([each.numpy() for each in tf.saved_model.load('folder').variables])."
)
GRAPH = (
    "This is a TensorFlow graph, without the layers of the model. Bring the Keras model that it came from, saved with "
    "model.save('name.keras'); if there is none, build the same layers in Keras and set their weights from the graph's "
    "constants."
)
CHECKPOINT = (
    "This is a part of a TensorFlow checkpoint, which holds weights without the layers. Build the model with the Keras "
    "that wrote it (2: the package tf_keras), call model.load_weights('path') with the checkpoint's path without "
    ".index, and save all of it with model.save('name.h5')."
)
TFLITE = (
    "This is a TensorFlow Lite file, made to be run only. Bring the Keras model that it was converted from, saved with "
    "model.save('name.keras')."
)
CORE_ML = (
    "This is a Core ML model, made to be run by Apple's systems. Bring the Keras model that it was converted from, or "
    "build the same layers in Keras, and save that with model.save('name.keras')."
)
ONNX = (
    "This is an ONNX file. Bring the Keras model that it was exported from, saved with model.save('name.keras'); if "
    "there is none, build the same layers in Keras and set their weights from it."
)
TENSORFLOW_JS = (
    "This is a TensorFlow.js model. With the .bin files of its weights beside it, convert it with "
    "`tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras model.json name.h5`."
)
PACKED = "This is a packed file ({}). Unpack it, and bring the .keras or .h5 file that is inside."
PICTURE = (
    "This is a picture ({}), not a model. Drop it on the page to have it read, or send it as “drawing” to "
    "/api/models/MODEL/prediction."
)
DATA = "This is {}: data, and no model. Bring the network that was trained on it, saved with model.save('name.keras')."
