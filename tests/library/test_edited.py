"""Edited networks stay in memory as long as there is room for them."""

from app.cnn.edits import Edits
from app.cnn.network import Network
from app.library.edited import EditedNetworks
from app.library.kept import Kept
from tests.keras_layers import define
from tests.small_models import build_digits, card

MUTED, SET = Edits.parse("mute:conv1.1"), Edits.parse("bias:conv1.1=2")


def make_network() -> Network:
    model = build_digits()
    return Network("small", define(model), card(model))


def test_the_same_edits_are_made_once() -> None:
    networks, network = EditedNetworks(Kept()), make_network()
    assert networks.get(network, Edits()) is network
    assert networks.get(network, MUTED) is None
    made = networks.make(network, MUTED)
    assert networks.get(network, Edits.parse("mute:conv1.1;")) is made
    assert networks.make(network, MUTED) is made
    assert networks.get(network, SET) is None
    assert networks.get(make_network(), MUTED) is None


def test_the_oldest_one_goes_where_there_is_no_room() -> None:
    network = make_network()
    kept = Kept()
    networks = EditedNetworks(kept)
    first = networks.make(network, MUTED)
    conv = network.layer("conv1")
    copied = sum(each.nbytes for each in network.weights(conv).values())
    assert kept.size == first.engine.nbytes + copied
    kept.max_bytes = kept.size
    second = networks.make(network, SET)
    assert networks.get(network, MUTED) is None
    assert networks.get(network, SET) is second
    assert len(networks) == 1
