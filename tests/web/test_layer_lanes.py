from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.layer_list import Row, count_lanes, lay_lanes

Graph = Mapping[str, Sequence[str]]

CHAIN: Graph = {"a": [], "b": ["a"], "c": ["b"]}
RESIDUAL: Graph = {"stem": [], "conv1": ["stem"], "conv2": ["conv1"], "add": ["stem", "conv2"], "end": ["add"]}
INCEPTION: Graph = {
    "stem": [],
    "one": ["stem"],
    "three": ["stem"],
    "five_reduced": ["stem"],
    "five": ["five_reduced"],
    "both": ["one", "three", "five"],
    "end": ["both"],
}
DENSE: Graph = {
    "stem": [],
    "conv1": ["stem"],
    "joined1": ["stem", "conv1"],
    "conv2": ["joined1"],
    "joined2": ["joined1", "conv2"],
    "end": ["joined2"],
}


def lay(graph: Graph) -> dict[str, Row]:
    return dict(zip(graph, lay_lanes(graph), strict=True))


def test_a_chain_is_one_straight_line() -> None:
    rows = lay(CHAIN)
    assert [row.lane for row in rows.values()] == [0, 0, 0]
    assert [row.incoming for row in rows.values()] == [(), (0,), (0,)]
    assert [row.passing for row in rows.values()] == [(), (), ()]
    assert [row.is_read for row in rows.values()] == [True, True, False]
    assert count_lanes(rows.values()) == 1


def test_a_residual_block_leaves_its_shortcut_straight() -> None:
    rows = lay(RESIDUAL)
    assert [row.lane for row in rows.values()] == [0, 1, 1, 0, 0]
    assert rows["conv1"].incoming == rows["conv1"].passing == (0,)
    assert rows["conv2"] == Row(lane=1, passing=(0,), incoming=(1,), is_read=True)
    assert rows["add"] == Row(lane=0, passing=(), incoming=(0, 1), is_read=True)


def test_an_inception_block_has_a_lane_for_each_branch() -> None:
    rows = lay(INCEPTION)
    assert [rows[name].lane for name in ("one", "three", "five_reduced", "five")] == [1, 2, 0, 0]
    assert rows["both"].incoming == (0, 1, 2)
    assert rows["both"].lane == rows["end"].lane == 0
    assert count_lanes(rows.values()) == 3


def test_a_dense_block_needs_no_more_than_two_lanes() -> None:
    rows = lay(DENSE)
    assert [row.lane for row in rows.values()] == [0, 1, 0, 1, 0, 0]
    assert count_lanes(rows.values()) == 2


def test_what_nobody_reads_has_no_line_below() -> None:
    rows = lay({"a": [], "unread": ["a"], "b": ["a"]})
    assert not rows["unread"].is_read
    assert rows["unread"].lane == 1
    assert rows["b"].lane == 0


def test_a_layer_that_reads_the_image_has_no_line_above() -> None:
    rows = lay({"left": [], "right": [], "both": ["left", "right"]})
    assert [row.incoming for row in rows.values()] == [(), (), (0, 1)]
    assert [row.lane for row in rows.values()] == [0, 1, 0]


def test_an_output_that_is_read_twice_by_one_layer_is_one_line() -> None:
    assert lay({"a": [], "doubled": ["a", "a"]})["doubled"].incoming == (0,)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Layers that each read up to four of those before them."""
    names = [f"layer{index}" for index in range(draw(st.integers(1, 14)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:index]), max_size=4)) if index else []
        for index, name in enumerate(names)
    }


@given(graphs())
def test_every_connection_is_drawn_as_one_path(graph: Graph) -> None:
    names, rows = list(graph), lay(graph)
    for reader, read in graph.items():
        for source in read:
            lane = rows[source].lane
            assert rows[source].is_read
            between = names[names.index(source) + 1 : names.index(reader)]
            assert all(lane in rows[name].passing for name in between)
            assert lane in rows[reader].incoming


@given(graphs())
def test_no_line_is_drawn_that_is_no_connection(graph: Graph) -> None:
    names, rows = list(graph), lay(graph)
    for name, row in rows.items():
        assert row.incoming == tuple(sorted({rows[each].lane for each in graph[name]}))
    for above, below in pairwise(names):
        leaving = [*rows[above].passing, *([rows[above].lane] if rows[above].is_read else [])]
        assert len(leaving) == len(set(leaving)), "two lines in one lane"
        assert set(leaving) == {*rows[below].passing, *rows[below].incoming}


@given(graphs())
def test_there_are_as_many_lanes_as_outputs_that_wait_at_once(graph: Graph) -> None:
    """No more than a greedy needs: a lane for each line at a row's edge, and one for a node."""
    rows = lay_lanes(graph)
    assert count_lanes(rows) <= max(len(row.passing) + 1 for row in rows)


@pytest.mark.parametrize("graph", [CHAIN, RESIDUAL, INCEPTION, DENSE])
def test_nodes_are_beside_their_rows_passing_lines(graph: Graph) -> None:
    assert all(row.lane not in row.passing for row in lay_lanes(graph))
