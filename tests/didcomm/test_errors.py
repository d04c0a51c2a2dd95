"""Every error says what happened, what to do, and which code to answer with."""

from __future__ import annotations

import re

import pytest

from pico_didcomm import errors
from pico_didcomm.errors import DidcommError


def all_errors(base: type[DidcommError] = DidcommError) -> list[type[DidcommError]]:
    return [base, *(found for child in base.__subclasses__() for found in all_errors(child))]


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_errors_speak(kind: type[DidcommError]) -> None:
    error = kind()
    assert str(error)
    assert error.hint
    assert re.fullmatch(r"[a-z-]+", error.code)
    assert re.fullmatch(r"e\.p(\.[a-z-]+)+", error.problem_code)
    if kind is errors.NotFetched:  # says of which DID, and where to fetch it
        assert "did:web:a" in str(kind("did:web:a", "https://a"))
        return
    assert str(kind("what happened", "what to do")) == "what happened"
    assert kind("what happened", "what to do").hint == "what to do"


def test_codes_differ() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(set(codes)) == len(codes)


def test_the_drawing_shows_every_error_with_its_problem_code() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) +(e\.p\.[a-z.-]+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__: kind.problem_code for kind in all_errors()[1:]}
