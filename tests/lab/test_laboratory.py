"""Runs of chains: what is remembered, and what is refused."""

import hashlib
import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from app.imaging.drawing import DrawingLimits, DrawingTooLarge, InvalidDrawing
from app.lab.chain import InvalidChain, read_chain
from app.lab.laboratory import Laboratory, PictureForgotten, UnknownSample
from app.lab.pictures import Look, draw
from app.lab.planes import read_planes
from app.lab.samples import FIRST_PICTURE, SAMPLE_PICTURES, open_sample
from app.library.kept import Kept


@pytest.fixture
def laboratory() -> Laboratory:
    return Laboratory(Kept())


def png(size: tuple[int, int] = (20, 12), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, "PNG")
    return file.getvalue()


def test_only_what_follows_a_change_is_computed_again(laboratory: Laboratory) -> None:
    source = laboratory.sample("digit")
    first = laboratory.run(source, read_chain("convolution,activation,max"))
    second = laboratory.run(source, read_chain("convolution,activation,average,swap"))
    assert all(one is other for one, other in zip(first[:3], second[:3], strict=True))
    assert second[3].before is first[2]


def test_a_stage_knows_the_chain_that_made_it(laboratory: Laboratory) -> None:
    chain = read_chain("max,average,convolution,min")
    stages = laboratory.run(laboratory.sample("digit"), chain)
    assert stages[-1].chain == chain and stages[-1].first is stages[0]
    assert all(after.before is before for before, after in pairwise(stages))
    # What poolings in a row were given is the picture before the first of them.
    assert [each.pooled for each in stages] == [None, stages[0], stages[0], None, stages[3]]
    assert len({each.identity for each in stages}) == len(stages)


def test_what_is_remembered_is_let_go(laboratory: Laboratory) -> None:
    small = Laboratory(kept := Kept(max_bytes=10**5))
    for seed in range(9):
        small.run(small.sample("rings"), read_chain(f"stochastic:seed={seed}"))
    assert kept.size <= 10**5 and len(small._remembered) < 9


def test_a_picture_is_known_by_its_digest(laboratory: Laboratory) -> None:
    data = png()
    with pytest.raises(PictureForgotten):
        laboratory.known(hashlib.sha256(data).hexdigest())
    sent = laboratory.picture(data)
    known = laboratory.known(hashlib.sha256(data).hexdigest())
    assert laboratory.open(known) is laboratory.open(sent)
    assert laboratory.open(known).size == (12, 20)


def test_grey_is_one_channel(laboratory: Laboratory) -> None:
    data = png()
    assert laboratory.open(laboratory.picture(data, grey=True)).channels == 1
    assert laboratory.open(laboratory.sample("raccoon-768", grey=True)).channels == 1
    assert laboratory.open(laboratory.sample("raccoon-768")).channels == 3


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("grey", [False, True])
def test_levels_are_divided_by_255(mode: str, grey: bool) -> None:
    picture = Image.effect_noise((9, 7), 60).convert(mode)
    planes = read_planes(picture, grey)
    assert planes.dtype == np.float32 and planes.flags.c_contiguous and len(planes) == 1
    np.testing.assert_allclose(planes[0], np.asarray(picture.convert("L")) / 255, atol=1e-6)


def test_transparent_parts_show_white_paper() -> None:
    planes = read_planes(Image.new("RGBA", (4, 3), (0, 0, 0, 0)), grey=False)
    assert planes.shape == (1, 3, 4) and (planes == 1).all()


def test_a_picture_too_large_is_refused(laboratory: Laboratory) -> None:
    with pytest.raises(DrawingTooLarge, match=r"4,194,304"):
        laboratory.picture(png((2100, 2100), "L"))
    with pytest.raises(DrawingTooLarge, match="10,000×10"):
        laboratory.picture(png((10_000, 10), "L"))


def test_what_is_no_picture_is_refused(laboratory: Laboratory) -> None:
    with pytest.raises(InvalidDrawing):
        laboratory.picture(b"no picture")


def test_an_unknown_sample_is_refused(laboratory: Laboratory) -> None:
    with pytest.raises(UnknownSample, match="There is no sample picture “dog”"):
        laboratory.sample("dog")


def test_a_chain_that_does_not_fit_is_refused(laboratory: Laboratory) -> None:
    with pytest.raises(InvalidChain):
        laboratory.run(laboratory.sample("digit"), read_chain("max:window=29"))


def test_weights_that_overflow_are_no_error(laboratory: Laboratory) -> None:
    chain = read_chain(",".join(["convolution:kernel=1000_1000;1000_1000"] * 12 + []))
    stages = laboratory.run(laboratory.sample("digit"), chain)
    assert not np.isfinite(stages[-1].planes).all()
    for each in stages:
        assert draw(each.planes, *each.extremes, Look()).png.startswith(b"\x89PNG")
        each.statistics, each.change_under_shift, each.enlarged  # noqa: B018 - each is worked out


def test_a_chain_that_takes_long_or_much_memory_is_refused(laboratory: Laboratory) -> None:
    file = io.BytesIO()
    Image.new("L", (2048, 2048), 255).save(file, "PNG")
    white = laboratory.picture(file.getvalue())
    with pytest.raises(InvalidChain, match="would take too long"):
        laboratory.run(white, read_chain("median:window=60:stride=1"))
    nine = "convolution:kernel=random:size=9"
    with pytest.raises(InvalidChain, match="numbers, which takes too long"):
        laboratory.run(white, read_chain(",".join([nine] * 12)))
    file = io.BytesIO()
    Image.merge("RGB", [Image.effect_noise((2048, 2048), each) for each in (10, 20, 30)]).save(file, "BMP")
    roomy = Laboratory(Kept(), DrawingLimits(max_bytes=2**25))
    with pytest.raises(InvalidChain, match="values; the lab keeps 134,217,728"):
        roomy.run(roomy.picture(file.getvalue()), read_chain(",".join(["swap"] * 12)))


def test_what_a_shift_changes_is_known_of_all_stages_at_once(laboratory: Laboratory) -> None:
    chain = read_chain("max,convolution,average")
    one_by_one = [each.change_under_shift for each in laboratory.run(laboratory.sample("rings"), chain)]
    at_once = Laboratory(Kept())
    stages = at_once.run(at_once.sample("rings"), chain)
    assert stages[-1].change_under_shift == one_by_one[-1]
    assert [vars(each)["change_under_shift"] for each in stages[1:]] == one_by_one[1:]


def test_samples_are_as_they_say() -> None:
    assert FIRST_PICTURE in SAMPLE_PICTURES
    sizes = {name: open_sample(name).size for name in SAMPLE_PICTURES}
    assert sizes["raccoon"] == (1600, 1200) and sizes["raccoon-768"] == (1024, 768) and sizes["digit"] == (28, 28)
    for name, sample in SAMPLE_PICTURES.items():
        assert name == sample.name and sample.title and sample.about.endswith(".")


def test_min_pooling_keeps_hairlines_and_max_pooling_keeps_stars(laboratory: Laboratory) -> None:
    """Which of them loses what: dark means important on paper, and bright does in the sky."""
    for sample, keeps, loses in (("lines", "min", "max"), ("stars", "max", "min")):
        source = laboratory.sample(sample)
        kept, lost = (laboratory.run(source, read_chain(f"{name},{name}"))[-1].statistics for name in (keeps, loses))
        assert kept.deviation > lost.deviation


def test_a_drawn_picture_is_no_wider_than_asked_for(laboratory: Laboratory) -> None:
    stage = laboratory.open(laboratory.sample("raccoon-768"))
    drawn = draw(stage.planes, 0, 1, Look(width=300))
    assert drawn.factor == 4 and (drawn.width, drawn.height) == (256, 192)
    shown = np.asarray(Image.open(io.BytesIO(drawn.png)), np.float64) / 255
    blocks = stage.planes.reshape(3, 192, 4, 256, 4).mean(axis=(2, 4)).transpose(1, 2, 0)
    np.testing.assert_allclose(shown, blocks, atol=0.003)


def test_a_whole_picture_is_as_it_came(laboratory: Laboratory) -> None:
    stage = laboratory.open(laboratory.sample("raccoon-768"))
    saved = np.asarray(Image.open(io.BytesIO(draw(stage.planes, 0, 1, Look()).png)))
    np.testing.assert_array_equal(saved, np.asarray(open_sample("raccoon-768")))
