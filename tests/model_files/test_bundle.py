"""A zip of a model and its labels, as Teachable Machine exports one."""

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tf_keras

from app.cnn.card import Card, Fit, Ink
from app.model_files.errors import ModelError
from app.model_files.infer_card import infer_card
from app.model_files.limits import ARCHIVE_MEMBERS, LABELS_BYTES
from app.model_files.loading import load_model
from tests.model_files.files import image, members, save_zip, small_file, small_model
from tests.model_files.keras_2 import with_random_weights
from tests.model_files.test_nested_models import build_teachable_machine

pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
LABELS = b"0 cat\n1 dog\n2 owl\n"


def h5_file(folder: Path) -> bytes:
    small_model().save(path := folder / "saved.h5")
    return path.read_bytes()


def card_of(path: Path) -> Card:
    return infer_card(load_model(path), path.stem)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as raised:
        load_model(path)
    return str(raised.value)


def test_teachable_machine_s_own_zip(tmp_path: Path) -> None:
    model = with_random_weights(build_teachable_machine(tf_keras))
    model.save(saved := tmp_path / "keras_model.h5")
    path = save_zip(tmp_path / "converted_keras.zip", {"keras_model.h5": saved.read_bytes(), "labels.txt": LABELS})
    opened = load_model(path)
    images = image(opened.model)
    np.testing.assert_allclose(opened.model(images), model(images), rtol=1e-4, atol=1e-5)
    card = infer_card(opened, "converted_keras")
    assert (card.title, card.classes) == ("converted_keras", ["cat", "dog", "owl"])
    assert (card.value_range, card.fit, card.ink) == ((-1, 1), Fit.FILL, Ink.DARK)


def test_its_model_alone_is_known_by_how_it_is_put_together(tmp_path: Path) -> None:
    build_teachable_machine(keras).save(path := tmp_path / "mine.keras")
    card = card_of(path)
    assert (card.value_range, card.fit, card.ink) == ((-1, 1), Fit.FILL, Ink.DARK)
    assert card.classes == ["0", "1", "2"]


@pytest.mark.parametrize(
    "add",
    [
        lambda h5, archive: {"pets.h5": h5, "labels.txt": LABELS},
        lambda h5, archive: {"pets.keras": archive, "class_names.json": b'["cat", "dog", "owl"]'},
        lambda h5, archive: {"pets/": b"", "pets/pets.H5": h5, "pets/labels.txt": LABELS, "pets/README.md": b"Pets"},
        lambda h5, archive: {"export/m.hdf5": h5, "labels.txt": LABELS},
        lambda h5, archive: {
            "m.h5": h5,
            "__MACOSX/._m.h5": b"x",
            "._m.h5": b"x",
            ".DS_Store": b"x",
            "m.labels.txt": LABELS,
        },
    ],
)
def test_the_usual_forms(add: Callable[[bytes, bytes], dict[str, bytes]], tmp_path: Path) -> None:
    contents = add(h5_file(tmp_path), small_file(tmp_path).read_bytes())
    card = card_of(save_zip(tmp_path / "pets.zip", contents))
    assert card.classes == ["cat", "dog", "owl"]
    assert card.value_range == (0, 1)
    assert card.mends == []


def test_a_zip_without_labels(tmp_path: Path) -> None:
    assert card_of(save_zip(tmp_path / "m.zip", {"m.h5": h5_file(tmp_path)})).classes == ["0", "1", "2"]


def test_labels_that_cannot_be_read_leave_the_model(tmp_path: Path) -> None:
    card = card_of(save_zip(tmp_path / "m.zip", {"m.h5": h5_file(tmp_path), "labels.txt": b"\0"}))
    assert card.classes == ["0", "1", "2"]
    assert card.mends == ["“labels.txt” is no text, so the classes are not named by it."]


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({"a.h5": b"x", "b.keras": b"x", "labels.txt": LABELS}, "holds 2 models: “a.h5”, “b.keras”"),
        ({"model.savedmodel/saved_model.pb": b"x", "labels.txt": LABELS}, "SavedModel that was exported to be run"),
        ({"model_unquant.tflite": b"x", "labels.txt": LABELS}, "choose Export Model, Tensorflow, Keras"),
        ({"model.json": b"{}", "weights.bin": b"x", "metadata.json": b"{}"}, "This is a TensorFlow.js model"),
        ({"cat.png": b"x"}, "a zip of pictures"),
        ({"m.h5": b"<!DOCTYPE html>"}, "web page"),
        ({"m.h5": b""}, "The file is empty"),
        ({"m.keras": b"PK\x03\x04"}, "it was cut in the download"),
        ({"m.h5": b"\x89HDF\r\n\x1a\n"}, "damaged or cut"),
        ({"m.h5": b"x", "../labels.txt": LABELS}, "points out of the archive"),
        ({"/m.h5": b"x"}, "points out of the archive"),
        ({"c:/m.h5": b"x"}, "points out of the archive"),
        ({"m.h5": b"x"} | {f"{number}.txt": b"x" for number in range(ARCHIVE_MEMBERS)}, "has 65 members"),
    ],
)
def test_what_is_refused(contents: dict[str, bytes], says: str, tmp_path: Path) -> None:
    assert says in refusal(save_zip(tmp_path / "m.zip", contents))


def test_a_zip_of_a_zip_of_a_model(tmp_path: Path) -> None:
    inner = save_zip(tmp_path / "inner.keras", {"m.h5": h5_file(tmp_path)})
    assert "“m.h5”, which is no part of a .keras file" in refusal(
        save_zip(tmp_path / "m.zip", {"inner.keras": inner.read_bytes()})
    )


@pytest.mark.parametrize("name", ["m.h5", "labels.txt"])
def test_bombs(name: str, tmp_path: Path) -> None:
    contents = {"m.h5": h5_file(tmp_path), "labels.txt": LABELS} | {name: bytes(50_000_000)}
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for each, data in contents.items():
            file.writestr(each, data)
    assert ("as a zip bomb does" if name == "m.h5" else f"at most {LABELS_BYTES:,} are read") in refusal(path)


def test_a_link(tmp_path: Path) -> None:
    path = save_zip(tmp_path / "m.zip", {"m.h5": h5_file(tmp_path)})
    link = zipfile.ZipInfo("labels.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    assert "“labels.txt” is a link" in refusal(path)


def test_a_folder_that_a_keras_file_was_unpacked_to(tmp_path: Path) -> None:
    contents = {f"pets/{name}": data for name, data in members(small_file(tmp_path)).items()}
    junk = {"__MACOSX/pets/._config.json": b"x", "pets/.DS_Store": b"x"}
    assert len(load_model(save_zip(tmp_path / "pets.zip", contents | junk)).definition.layers) == 3


def test_a_keras_file_among_others_is_no_bundle(tmp_path: Path) -> None:
    path = small_file(tmp_path)
    assert "no part of a .keras file" in refusal(save_zip(path, members(path) | {"labels.txt": LABELS}))
