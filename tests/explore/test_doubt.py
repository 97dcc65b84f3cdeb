"""When an answer is doubted, and how sure a network is of it."""

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Answer
from app.cnn.network import Network
from app.cnn.novelty import NoveltyDetector
from app.cnn.types import PoolingMode
from app.explore.doubt import UNKNOWN, find_doubt, measure_confidence, to_logits
from app.explore.evaluation import Evaluation
from app.explore.prediction import EMPTY, Prediction, predict
from tests.small_models import build_digits, card, parts

MODEL = build_digits()
CARD = card(MODEL, pooling="max", test_accuracy=None, test_accuracy_by_pooling={})


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(logits) / np.exp(logits).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_confidence_is_the_share_of_the_likeliest_with_its_logits_divided(temperature: float) -> None:
    logits = np.array([1.0, -2.0, 3.0])
    expected = softmax(logits / temperature).max()
    changed = CARD.model_copy(update={"temperature": temperature})
    for output, answer in ((softmax(logits), Answer.PROBABILITIES), (logits, Answer.LOGITS)):
        found = measure_confidence(output.astype(np.float32), changed.model_copy(update={"answer": answer}))
        assert found == pytest.approx(expected, rel=1e-5)


def test_of_a_lone_neuron_it_is_that_of_the_likelier_class() -> None:
    changed = CARD.model_copy(update={"temperature": 2.0})
    for output, answer in ((0.1, Answer.PROBABILITIES), (np.log(0.1 / 0.9), Answer.LOGITS)):
        card_ = changed.model_copy(update={"answer": answer})
        expected = 1 / (1 + np.exp(-np.log(9) / 2))
        assert measure_confidence(np.array([output], np.float32), card_) == pytest.approx(expected, rel=1e-5)


def test_certainty_is_no_overflow() -> None:
    assert measure_confidence(np.array([1, 0], np.float32), CARD) == pytest.approx(1)
    assert np.isfinite(to_logits(np.array([0.0], np.float32), Answer.PROBABILITIES)).all()


def test_in_another_pooling_mode_the_temperature_tells_a_close_second_guess_and_no_confidence() -> None:
    image = np.random.default_rng(0).uniform(size=(28, 28, 1)).astype(np.float32)
    for temperature, is_doubted in ((0.01, False), (100.0, True)):
        network = Network("seeing", parts(MODEL), CARD.model_copy(update={"temperature": temperature}))
        found = predict(network, network.run(image, PoolingMode.AVERAGE))
        assert found.confidence is None
        assert (found.doubt is not None and "Not sure" in found.doubt) is is_doubted


def test_a_doubt_names_its_reason() -> None:
    sure, guesses = 0.99, ["4", "9"]
    assert find_doubt(CARD, CARD.pooling, -1.0, sure, guesses) is None
    assert find_doubt(CARD, CARD.pooling, None, sure, guesses) is None
    assert find_doubt(CARD, CARD.pooling, 0.1, sure, guesses) == UNKNOWN
    assert find_doubt(CARD, CARD.pooling, -1.0, 0.5, guesses) == "Not sure: 4 or 9."
    by_mode = {PoolingMode.MAX: 0.99, PoolingMode.MIN: 0.114}
    weak = CARD.model_copy(update={"test_accuracy": 0.99, "test_accuracy_by_pooling": by_mode})
    assert find_doubt(weak, PoolingMode.MAX, -1.0, sure, guesses) is None
    assert find_doubt(weak, PoolingMode.MIN, -1.0, sure, guesses) == (
        "With min pooling, it reads 11 % of test digits: not to be trusted."
    )
    untrained = CARD.model_copy(update={"test_accuracy": 0.115})
    assert (
        find_doubt(untrained, CARD.pooling, None, sure, guesses) == "It reads 12 % of test digits: not to be trusted."
    )


def test_what_need_not_be_a_digit_is_not_asked_how_sure_it_is() -> None:
    assert find_doubt(CARD.model_copy(update={"fit": "stretch"}), CARD.pooling, None, 0.3, ["cat", "dog"]) is None


def see(image: np.ndarray, limit: float, pooling: PoolingMode | None = None) -> Prediction:
    """The prediction of a network whose detector's score is the mean of the image."""
    network = Network("seeing", parts(MODEL), CARD)
    features, one = np.full((49, 1), 1 / 49, np.float32), np.ones(1, np.float32)
    network.detector = NoveltyDetector(("",), features, 0 * one, one, {PoolingMode.MAX: limit})
    return predict(network, network.run(image.astype(np.float32), pooling))


def test_a_prediction_has_novelty_confidence_and_doubt() -> None:
    image = np.random.default_rng(0).uniform(size=(28, 28, 1))
    found = see(image, limit=0.2)
    assert found.novelty == pytest.approx(image.mean() - 0.2, abs=1e-4) and found.doubt == UNKNOWN
    assert found.confidence == pytest.approx(found.probability)
    assert see(image, limit=0.8).doubt != UNKNOWN
    other = see(image, limit=0.2, pooling=PoolingMode.AVERAGE)
    assert (other.novelty, other.confidence) == (None, None)


def test_an_empty_sheet_is_doubted_for_being_empty() -> None:
    assert see(np.zeros((28, 28, 1)), limit=-1).doubt == EMPTY


def test_an_answer_that_is_not_a_number_is_not_weighed() -> None:
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2)])
    model.layers[-1].set_weights([np.zeros((784, 2)), np.array([np.nan, 0])])
    network = Network("broken", parts(model), card(model, answer=Answer.LOGITS))
    found = predict(network, network.run(np.eye(28, dtype=np.float32)[..., None]))
    assert (found.doubt, found.confidence, found.novelty) == (None, None, None)


def test_an_evaluation_is_as_sure_as_its_temperature_says() -> None:
    shares = np.array([[0.8, 0.2], [0.4, 0.6]])
    found = Evaluation(("a", "b"), np.array([0, 0]), shares, temperature=0.5)
    assert np.allclose(found.confidences, [0.64 / 0.68, 0.36 / 0.52])
    assert np.array_equal(found.answers, [0, 1])
