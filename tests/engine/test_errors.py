"""The engine's errors: drawn as they are, each with a code, a text and a hint."""

from __future__ import annotations

import re

import pytest

from pico_engine import errors
from pico_engine.errors import EngineError


def _all(kind: type[EngineError]) -> list[type[EngineError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in _all(child))]


OURS = [kind for kind in _all(EngineError) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", OURS)
def test_every_error_says_what_happened_and_what_to_do(kind: type[EngineError]) -> None:
    error = kind()
    assert str(error)
    assert error.hint
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert 400 <= kind.status < 600
    told = kind("what", "hint")
    assert (str(told), told.hint) == ("what", "hint")


def test_codes_are_different() -> None:
    by_code: dict[str, list[str]] = {}
    for kind in OURS:
        by_code.setdefault(kind.code, []).append(kind.__name__)
    by_code.pop("bad-request")  # of the base of all that callers do wrong, too
    assert [names for names in by_code.values() if len(names) > 1] == []


def test_the_drawing_shows_the_tree() -> None:
    drawn: list[tuple[int, str, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)([A-Z]\w+)\s*(\d{3})?", line)
        if found and found[2].isidentifier() and hasattr(errors, found[2]):
            drawn.append((len(found[1]) // 4, found[2], found[3] or ""))
    parents: list[str] = []
    shown: dict[str, tuple[str, str]] = {}
    for depth, name, status in drawn:
        del parents[depth:]
        shown[name] = (parents[-1] if parents else "", status)
        parents.append(name)
    assert shown.keys() == {kind.__name__ for kind in OURS}
    for kind in OURS:
        parent, status = shown[kind.__name__]
        assert parent in ("", kind.__mro__[1].__name__)
        assert status in ("", str(kind.status)), kind
