"""The detector of novelty beside a model's file: what tells that a drawing is unlike all that it was trained on."""

import logging

from ..cnn.network import Network
from ..cnn.novelty import IMAGE, MOST_BYTES, DetectorFile, NoveltyDetector, detector_path
from ..model_files.regular_files import read_regular
from .files import ModelFile, Origin

_log = logging.getLogger(__name__)


def read_detector(file: ModelFile, network: Network) -> NoveltyDetector | None:
    """Return a model's detector; None if there is none beside its file, or none that fits the network.

    A file that is broken, or another network's, is told in the log: the model itself is as good as without.
    """
    path = detector_path(file.path)
    if file.origin is Origin.UPLOADED:
        return None
    try:
        data = read_regular(path, MOST_BYTES)
        detector = DetectorFile.model_validate_json(data).open() if len(data) <= MOST_BYTES else None
    except OSError:
        return None
    except ValueError as error:
        _log.warning("The detector %s is left out, since it is broken: %s", path.name, str(error).splitlines()[0])
        return None
    shapes = {layer.name: layer.output_shape for layer in network.layers} | {IMAGE: network.card.input_shape}
    if detector is None or not detector.fits(shapes):
        _log.warning("The detector %s is left out, since it was made for another network.", path.name)
        return None
    return detector
