"""Results that are remembered, as long as there is room."""

from app.explore.results import Results


def test_the_results_that_were_used_last_are_remembered() -> None:
    results = Results[str](max_bytes=20)
    assert results.get("a") is None
    assert results.put("a", "first", 8) == "first"
    results.put("b", "second", 8)
    assert results.get("a") == "first"
    results.put("c", "third", 8)
    assert [results.get(key) for key in "abc"] == ["first", None, "third"]


def test_what_is_too_large_is_not_remembered() -> None:
    results = Results[str](max_bytes=20)
    assert results.put("a", "large", 21) == "large"
    assert results.get("a") is None
