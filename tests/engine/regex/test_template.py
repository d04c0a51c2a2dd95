"""Replacement templates. Expected values are those of a JavaScript engine."""

from __future__ import annotations

import pytest

from pico_engine.regex.template import expand


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("$$", "$"),
        ("$&", "bc"),
        ("$`|$'", "a|d"),
        ("$1$2", "b"),
        ("$3$0$00$", "$3$0$00$"),
        ("$01$10$12", "bb0b2"),
        ("$<n>$<x>", "$<n>$<x>"),
        ("$<$&>", "$<bc>"),
        ("$$1", "$1"),
    ],
)
def test_without_names(template: str, expected: str) -> None:
    assert expand(template, "abcd", 1, 3, ("b", None)) == expected


@pytest.mark.parametrize(
    ("template", "expected"), [("$<n>", "b"), ("$<x>", ""), ("$<m>", ""), ("$<n", "$<n"), ("$<$&>", "")]
)
def test_with_names(template: str, expected: str) -> None:
    assert expand(template, "abcd", 1, 3, ("b", None), {"n": "b", "m": None}) == expected


def test_without_groups() -> None:
    assert expand("$1$&", "abc", 1, 2) == "$1b"
