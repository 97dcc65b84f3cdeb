from app.library.kept import Kept


def keep(kept: Kept, gone: list[str], **weights: int) -> None:
    for name, weight in weights.items():
        kept.put(name, weight, lambda name=name: gone.append(name))  # type: ignore[misc]


def test_the_least_recently_used_goes() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=4, b=4)
    kept.touch("a")
    keep(kept, gone, c=4)
    assert (gone, kept.size) == (["b"], 8)


def test_as_many_go_as_have_to() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=3, b=3, c=3, d=8)
    assert (gone, kept.size) == (["a", "b", "c"], 8)


def test_what_is_too_heavy_by_itself_goes_at_once() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=11)
    assert (gone, kept.size) == (["a"], 0)


def test_what_is_in_use_stays_whatever_it_weighs() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=4)
    kept.put_in_use("b", 50, lambda: gone.append("b"))
    assert (gone, kept.size) == (["a"], 50)
    keep(kept, gone, c=1)
    assert (gone, kept.size) == (["a", "b"], 1)


def test_what_got_heavier_sends_others_away() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=2, b=2, c=2)
    kept.weigh("a", 7)
    assert (gone, kept.size) == (["b"], 9)
    kept.weigh("nothing", 7)
    assert kept.size == 9


def test_what_is_put_again_counts_once() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=4)
    keep(kept, gone, a=6)
    assert (gone, kept.size) == ([], 6)


def test_what_is_forgotten_is_not_let_go() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, a=4)
    kept.forget("a")
    kept.forget("a")
    assert (gone, kept.size) == ([], 0)


def test_what_a_thing_stands_beside_does_not_go_for_its_sake() -> None:
    kept, gone = Kept(10), list[str]()
    keep(kept, gone, old=2)
    kept.put_in_use("network", 7, lambda: gone.append("network"))
    kept.put("pass", 3, lambda: gone.append("pass"), beside="network")
    assert (gone, kept.size) == (["old"], 10)
    kept.put("larger", 4, lambda: gone.append("larger"), beside="network")
    assert (gone, kept.size) == (["old", "pass", "larger"], 7)


def test_it_does_not_go_even_if_it_is_too_heavy_by_itself() -> None:
    kept, gone = Kept(10), list[str]()
    kept.put_in_use("network", 50, lambda: gone.append("network"))
    kept.put("pass", 3, lambda: gone.append("pass"), beside="network")
    assert (gone, kept.size) == (["pass"], 50)
