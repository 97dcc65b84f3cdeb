"""Limits on what a file may ask for: generous for models that take a drawing, far below what hurts a server."""

FILE_BYTES = 512 * 2**20
CONFIG_BYTES = 8 * 2**20
METADATA_BYTES = 2**16
LABELS_BYTES = 2**20
WEIGHTS_BYTES = 512 * 2**20
ARCHIVE_MEMBERS = 64
# Weights hardly compress; a config of many like layers does, and is bounded by CONFIG_BYTES.
COMPRESSION_RATIO = 200
# A matrix of zeros compresses without end, but a small one hurts nobody.
SMALL_BYTES = 2**22

NESTING = 48  # lists and objects within each other in a config
CONFIG_ITEMS = 500_000
LAYERS = 1_000  # NASNetMobile has 771; Keras puts a chain together recursively, and says so where it fails
NESTED_MODELS = 8
LAYER_INPUTS = 256  # a merge costs a line of its description, and of the graph, for each
INPUTS = 16  # of a model, that its answer depends on
MODEL_INPUTS = 2_000  # of all layers together
CLASSES = 25_000  # the largest ImageNet has 21,841; each is named on the page, and in every answer

HDF5_OBJECTS = 20_000
HDF5_DEPTH = 24
HDF5_RANK = 8
ATTRIBUTE_ITEMS = 20_000

CHANNELS = 64  # of an input
CELLS = 2**25  # of a layer's output for one image
ANY_SIDE = 64  # what a size that may be anything is taken for, where cells are counted
