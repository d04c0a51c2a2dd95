"""Errors: every one says what and what to do, and has a code of its own."""

from __future__ import annotations

import inspect

import pytest

from pico_engine.errors import EngineError
from pico_node.agent import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, EngineError) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_speaks(kind: type[EngineError]) -> None:
    error = kind()
    assert str(error)
    assert error.hint
    assert 400 <= error.status < 600
    assert error.code in {one.code for one in KINDS}
    assert kind.__name__ in (errors.__doc__ or ""), "the tree is drawn at the top"


def test_codes_are_their_own() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS) == 4


def test_a_remote_error_keeps_the_other_side_s_code() -> None:
    error = errors.RemoteError("no", "why", "unknown-query")
    assert (error.what, error.hint, error.remote_code) == ("no", "why", "unknown-query")
