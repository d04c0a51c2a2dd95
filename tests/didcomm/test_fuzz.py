"""A few thousand of the inputs of `tests/fuzz/unpack.py` and `resolve.py`, in every run of the tests."""

from __future__ import annotations

from tests.fuzz import resolve
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
