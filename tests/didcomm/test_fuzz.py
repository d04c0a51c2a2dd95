"""A few thousand of the inputs of `tests/fuzz/unpack.py` and `resolve.py`, in every run of the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.fuzz import loop, resolve
from tests.fuzz.unpack import KINDS, SAMPLES, make_input, run


def test_broken_envelopes_are_refused_in_words() -> None:
    outcomes = run(4_000, seed=7)
    for kind in KINDS:
        errors = {name for name in outcomes if name.startswith(kind.__name__) and "accepted" not in name}
        assert len(errors) >= 3, "the inputs reach more than the first check"


def test_inputs_come_from_their_numbers() -> None:
    assert make_input(1, 2) == make_input(1, 2) != make_input(1, 3)
    assert len(SAMPLES) == 7


def test_broken_dids_and_documents_are_refused_in_words() -> None:
    outcomes = resolve.run(4_000, seed=7)
    assert "did: an error without words" not in outcomes
    assert {"did: accepted", "did: BadDid", "learned: BadDid", "document: BadDid"} <= set(outcomes)
    assert resolve.make_input(1, 2) == resolve.make_input(1, 2)


def fed(feed: Callable[[str, str | bytes], str], count: int = 3) -> Counter[str]:
    return loop.run("tests.fuzz.x", lambda _, number: ("kind", bytes(number)), feed, count, 1)


def test_a_fuzzer_says_which_input_broke_what(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fed(lambda _, data: f"{len(data)}") == {"kind: 0": 1, "kind: 1": 1, "kind: 2": 1}
    with pytest.raises(AssertionError, match=r"input 1 .*again: .*tests.fuzz.x .*--first 1"):
        fed(lambda _, data: str(1 // (1 - len(data))))
    monkeypatch.setattr(loop, "INPUT_BYTES_MAX", 1)
    with pytest.raises(AssertionError, match=r"input 2 .*fuzzer itself"):
        fed(lambda *_: "ok")
    monkeypatch.setattr(loop, "INPUT_S_MAX", 0.0)
    with pytest.raises(AssertionError, match=r"input 0 .*took"):
        fed(lambda *_: "ok")


def test_memory_is_measured() -> None:
    held, most = loop.memory_bytes()
    assert 1_000_000 < held <= most


@pytest.mark.parametrize("more", [(0, 0), (1, 0), (0, 1)])
def test_a_fuzzer_fails_when_memory_grows(monkeypatch: pytest.MonkeyPatch, more: tuple[int, int]) -> None:
    monkeypatch.setattr(loop, "WARM_UP_INPUTS", 1)
    end = (1_000 + loop.HELD_BYTES_MAX + more[0], 2_000 + loop.PEAK_BYTES_MAX + more[1])
    found = iter([(1_000, 2_000), end])
    monkeypatch.setattr(loop, "memory_bytes", lambda: next(found))
    if more == (0, 0):
        assert fed(lambda *_: "ok").total() == 3
        return
    with pytest.raises(AssertionError, match="memory grew"):
        fed(lambda *_: "ok")
