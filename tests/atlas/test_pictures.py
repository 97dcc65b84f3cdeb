"""A person's own pictures, shown to a network instead of digits."""

import io

import numpy as np
import pytest
from PIL import Image

from app.atlas.examples import PictureExamples
from app.atlas.maximisation import MaximisationRun
from app.atlas.patch_pictures import draw_patch
from app.atlas.patches import find_patches
from app.atlas.top_activations import TopActivationsRun
from app.cnn.card import Fit
from app.cnn.cost import RunLimits
from app.cnn.network import Network
from app.explore.evaluation import NotForDigits, run_on_image
from app.explore.picture_folders import PictureFolders
from tests.small_models import build_small, card, parts

MODEL = build_small((16, 16, 3), 4)
NETWORK = Network("colours", parts(MODEL), card(MODEL, fit="fill", ink="dark"))
LAYER = NETWORK.layer("conv1")


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> PictureExamples:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(4)
    for number in range(12):
        path = folder / ("red" if number % 2 else "blue") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
    (folder / "red" / "broken.png").write_bytes(b"no picture")
    return PictureExamples(PictureFolders([folder]).folder(folder.name))


def test_the_strongest_pictures_are_those_that_sorting_finds(examples: PictureExamples) -> None:
    found = TopActivationsRun(NETWORK, examples=examples).compute()
    assert found.unread == ("broken.png",) and examples.count == 13
    number = next(number for number in range(4) if number not in found.of(LAYER).dead)
    peaks = {}
    for place, path in enumerate(examples.folder.files):
        if path.name != "broken.png":
            pixels = np.asarray(Image.open(path)).astype(np.float32)
            low, high = NETWORK.card.value_range
            image = low + pixels * (high - low) / 255
            made = run_on_image(NETWORK, image.astype(np.float32)).activations[LAYER.name]
            peaks[place] = float(made[..., number].max())
            assert np.allclose(examples.image(place, NETWORK.card), image, atol=1e-4)
    patches = find_patches(found, LAYER, number)
    order = sorted(peaks, key=lambda place: -peaks[place])
    assert [patch.place for patch in patches] == order[: len(patches)]
    assert [patch.class_name for patch in patches] == [examples.folder.files[at].parent.name for at in order][:9]
    assert found.of(LAYER).class_means.shape == (4, 2)
    best = MaximisationRun(found, LAYER.name, number, steps=5).compute()
    assert best.made.value > best.start.value and best.example.value == pytest.approx(patches[0].value, rel=1e-5)


def test_a_picture_is_drawn_in_its_colours(examples: PictureExamples) -> None:
    found = TopActivationsRun(NETWORK, examples=examples).compute()
    number = next(number for number in range(4) if number not in found.of(LAYER).dead)
    patch = find_patches(found, LAYER, number)[0]
    drawn = Image.open(io.BytesIO(draw_patch(examples.image(patch.place, NETWORK.card), NETWORK.card, patch.region)))
    pixels = np.asarray(Image.open(examples.folder.files[patch.number]))
    region = patch.region
    inside = pixels[max(0, region.top) : region.bottom, max(0, region.left) : region.right]
    shown = np.asarray(drawn)[max(0, -region.top) :, max(0, -region.left) :, :3][: inside.shape[0], : inside.shape[1]]
    assert np.abs(shown.astype(int) - inside).max() <= 1


def test_a_copy_is_small_and_one_of_a_small_picture_exact(examples: PictureExamples) -> None:
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(examples.copy(0, 96)))), np.asarray(Image.open(examples.folder.files[0]))
    )
    assert max(Image.open(io.BytesIO(examples.copy(0, 8))).size) == 8


def test_a_model_that_nothing_is_drawn_for_is_refused(examples: PictureExamples) -> None:
    decoder = NETWORK.with_card(NETWORK.card.model_copy(update={"fit": Fit.NUMBERS}))
    with pytest.raises(NotForDigits, match="nothing is drawn"):
        examples.require_possible(decoder, None, RunLimits())
