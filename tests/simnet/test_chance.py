"""Chance: the same from the same seed and name, independent between names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pico_simnet.chance import Chance


def draws(chance: Chance, count: int = 20) -> list[int]:
    return [chance.below(1_000_000) for _ in range(count)]


def test_the_same_seed_and_name_give_the_same_draws() -> None:
    assert draws(Chance(1, "link")) == draws(Chance(1, "link"))
    assert draws(Chance(1, "link")) != draws(Chance(2, "link"))
    assert draws(Chance(1, "link")) != draws(Chance(1, "disk"))


def test_draws_from_one_stream_do_not_shift_another() -> None:
    root = Chance(7, "world")
    undisturbed = draws(root.stream("disk"))
    disk = root.stream("disk")
    draws(root.stream("link"))
    draws(root)
    assert draws(disk) == undisturbed


@given(st.integers(), st.integers(-1000, 1000), st.integers(0, 1000))
def test_draws_stay_in_their_range(seed: int, low: int, width: int) -> None:
    chance = Chance(seed, "x")
    for _ in range(10):
        assert low <= chance.between(low, low + width) <= low + width
        assert low <= chance.long_tail(low, low + width) <= low + width


def test_all_of_a_range_is_drawn_and_chances_are_what_they_say() -> None:
    chance = Chance(0, "x")
    assert {chance.between(1, 6) for _ in range(200)} == {1, 2, 3, 4, 5, 6}
    assert {chance.pick("abc") for _ in range(100)} == {"a", "b", "c"}
    assert not any(chance.happens(0) for _ in range(100))
    assert all(chance.happens(1_000) for _ in range(100))
    assert 150 < sum(chance.happens(200) for _ in range(1_000)) < 250


def test_a_long_tail_is_mostly_short_and_sometimes_long() -> None:
    chance = Chance(0, "x")
    found = sorted(chance.long_tail(0, 1_000) for _ in range(1_000))
    assert found[500] < 200
    assert found[-1] > 900
