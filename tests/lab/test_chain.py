"""Chains: read, written, limited, and refused with a sentence."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.chain import (
    MAX_STEPS,
    OPERATIONS,
    InvalidChain,
    TooManySteps,
    default_step,
    find_controls,
    fit,
    read_chain,
    read_steps,
    sizes_of,
    write_chain,
)
from app.lab.control import Control
from app.lab.kernels import WORDS

TEXTS = [
    "",
    "max",
    "max:window=3:stride=2:padding=same",
    "convolution:kernel=edge-up,activation:function=tanh,swap",
    "convolution:kernel=1_2_1;2_4_2;1_2_1:padding=reflect:dilation=2",
    "convolution:kernel=-0.125",
    "strided:kernel=random:size=5:seed=7",
    "lp:p=2.5,soft:beta=0.5,mixed:share=0.25",
    "cell:window=4:row=2:column=3,stochastic:seed=9,polyphase:norm=l1,blurred:blur=5",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_chain_is_written_as_it_was_read(text: str) -> None:
    assert write_chain(read_chain(text)) == text


def test_settings_as_by_default_are_left_out() -> None:
    assert (
        write_chain(read_chain("max:window=2:padding=valid,convolution:kernel=edge-right:seed=1")) == "max,convolution"
    )


@pytest.mark.parametrize("text", TEXTS)
def test_json_says_the_same_as_the_address(text: str) -> None:
    chain = read_chain(text)
    assert read_steps([step.model_dump(mode="json") for step in chain]) == chain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max:window=0", "“window”"),
        ("max:window=-1", "“window”"),
        ("max:window=65", "“window”"),
        ("max:window=2.5", "“window”"),
        ("max:stride=-2", "“stride”"),
        ("max:padding=full", "“padding”"),
        ("lp:p=nan", "“p”"),
        ("lp:p=inf", "“p”"),
        ("mixed:share=1.5", "“share”"),
        ("max:p=3", "it has no setting “p”. Its settings: window, stride, padding"),
        ("swap:window=3", "Its settings: none"),
        ("max:window", "no setting"),
        ("max:operation=min", "no setting"),
        ("maximum", "there is no operation “maximum”"),
        ("convolution:kernel=1_2;3", "no matrix of numbers"),
        ("convolution:kernel=one_two", "no matrix of numbers"),
        ("convolution:kernel=nan", "no matrix of numbers"),
        ("convolution:kernel=1e99", "no matrix of numbers"),
        ("convolution:kernel=", "no matrix of numbers"),
        ("convolution:kernel=" + "_".join("1" * 10), "no matrix of numbers"),
        ("convolution:kernel=" + ";".join("1" * 10), "no matrix of numbers"),
        ("max,activation:function=cosine", "Step 2, activation: “function”"),
        (",".join(["max"] * 100), "100 steps; the lab takes 12"),
    ],
)
def test_what_is_no_chain_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(InvalidChain, match=said) as refused:
        read_chain(text)
    assert str(refused.value).endswith((".", ".'")) or "Received" in str(refused.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "a list"),
        ("max", "a list"),
        (None, "a list"),
        ([3], "Step 1 is no object"),
        ([{"window": 2}], "Step 1 is no object"),
        ([{"operation": "max"}, {"operation": ["max"]}], "Step 2 is no object"),
        ([{"operation": "max", "window": None}], "“window”"),
        ([{"operation": "max", "window": [2, 2]}], "“window”"),
        ([{"operation": "max", "window": 10**400}], "“window”"),
        ([{"operation": "convolution", "kernel": [[1, 2], [3]]}], "no matrix"),
        ([{"operation": "convolution", "kernel": [["a"]]}], "no matrix"),
        ([{"operation": "convolution", "kernel": [[math.nan]]}], "no matrix"),
        ([{"operation": "convolution", "kernel": []}], "no matrix"),
        ([{"operation": "convolution", "kernel": [[]]}], "no matrix"),
        ([{"operation": "convolution", "kernel": 5}], "no matrix"),
        ([{"operation": "max"}] * 13, "13 steps"),
    ],
)
def test_json_that_is_no_chain_is_refused_with_a_sentence(value: Any, said: str) -> None:
    with pytest.raises(InvalidChain, match=said):
        read_steps(value)


def test_too_many_steps_are_counted_before_they_are_read() -> None:
    with pytest.raises(TooManySteps):
        read_chain(",".join(["nothing"] * 13))


def test_a_chain_that_shrinks_below_one_pixel_is_refused() -> None:
    with pytest.raises(InvalidChain, match="Step 3, max pooling, does not fit to its input of 2×2: its window is 3"):
        sizes_of(read_chain("max:window=5,average,max:window=3"), (20, 22))


def test_a_kernel_larger_than_its_input_is_refused() -> None:
    with pytest.raises(InvalidChain, match="its kernel has 3×3 weights, and its input 2×2 cells"):
        sizes_of(read_chain("max:window=5,convolution"), (10, 12))


def test_a_cell_outside_of_its_window_is_refused() -> None:
    with pytest.raises(InvalidChain, match="its row is 3, and can be 2 at most: the window has 2"):
        sizes_of(read_chain("cell:row=3"), (10, 12))


def test_what_would_take_too_long_is_refused() -> None:
    with pytest.raises(InvalidChain, match="would take too long"):
        sizes_of(read_chain("median:window=60:stride=1"), (2048, 2048))


def of(controls: list[Control], name: str) -> Control:
    return next(each for each in controls if each.name == name)


def test_a_window_is_no_wider_than_its_input_and_says_so() -> None:
    (controls,) = find_controls(read_chain("max"), (28, 40))
    assert (of(controls, "window").high, of(controls, "window").reason) == (28, "its input has 28 rows")
    (controls,) = find_controls(read_chain("max"), (1200, 1600))
    assert (of(controls, "window").high, of(controls, "window").reason) == (64, "the largest in the lab")


def test_a_limit_follows_from_the_steps_after_it() -> None:
    controls, _ = find_controls(read_chain("max,max:window=7"), (28, 28))
    assert (of(controls, "window").high, of(controls, "window").reason) == (4, "with more, step 2 would not fit")


STEPS = st.sampled_from(sorted(OPERATIONS)).map(default_step)


@settings(max_examples=60, deadline=None)
@given(chain=st.lists(STEPS, max_size=MAX_STEPS), height=st.integers(1, 40), width=st.integers(1, 40), data=st.data())
def test_whatever_a_control_offers_is_possible(chain: list[Any], height: int, width: int, data: st.DataObject) -> None:
    """Sliders never reach an impossible state, whatever the chain and the picture."""
    fitted, _ = fit(chain, (height, width))
    size = (height, width)
    for number, controls in enumerate(find_controls(fitted, size)):
        for control in controls:
            assert control.low <= control.high or not control.is_number
            if control.form != "whole":
                continue
            value = data.draw(st.integers(int(control.low), int(control.high)))
            changed = list(fitted)
            changed[number] = changed[number].model_copy(update={control.name: value})
            if control.name == "window" and changed[number].name == "cell":
                changed = list(fit(changed, size)[0])  # its row and column follow
            for made in sizes_of(changed, size):
                assert min(made) >= 1


def test_an_impossible_chain_is_made_possible_and_says_how() -> None:
    chain, said = fit(read_chain("max:window=5,max:window=4,convolution,swap"), (10, 12))
    assert write_chain(chain) == "max:window=5,max,swap"
    assert (
        said
        == [
            "Step 2, max pooling: window 2 instead of 4, since its input has 2 rows.",
            "Step 3, convolution: left out, since its kernel has 3×3 weights, and its input 1×1 cells.",
        ]
        or "columns" in said[0]
    )


def test_every_operation_says_what_it_keeps_and_loses() -> None:
    for name in OPERATIONS:
        step = default_step(name)
        assert step.title and step.keeps and step.loses and step.describe(), name
        assert step.name == name
    assert len(WORDS) == len(set(WORDS.values()))
