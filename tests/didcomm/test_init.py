"""The guide on the package's front page runs, and every public name is there."""

from __future__ import annotations

import doctest

import pico_didcomm


def test_the_guide_runs() -> None:
    results = doctest.testmod(pico_didcomm)
    assert results.attempted > 10
    assert results.failed == 0


def test_public_names_exist_once() -> None:
    assert len(set(pico_didcomm.__all__)) == len(pico_didcomm.__all__)
    for name in pico_didcomm.__all__:
        assert hasattr(pico_didcomm, name)
