"""Errors of running KRL: their texts, and where they stand in the engine's tree."""

from __future__ import annotations

from pico_engine.errors import EngineError, LimitExceeded, RulesetError
from pico_engine.krl.errors import KrlLimitExceeded, KrlRuntimeError, type_error


def test_an_error_reads_as_krl_programs_know_it() -> None:
    error = type_error("Cannot negate zero")
    assert (error.kind, error.message, str(error)) == (
        "TypeError",
        "Cannot negate zero",
        "TypeError: Cannot negate zero",
    )
    assert isinstance(error, RulesetError)
    assert error.hint
    assert error.status == 500


def test_a_limit_is_the_engines_own_kind_of_error() -> None:
    error = KrlLimitExceeded("too much")
    assert isinstance(error, LimitExceeded)
    assert (error.code, error.status, str(error)) == ("limit-exceeded", 413, "too much")
    assert "limits.md" in error.hint


def test_an_error_without_words_still_says_something() -> None:
    for error in (KrlRuntimeError(), KrlLimitExceeded()):
        assert isinstance(error, EngineError)
        assert str(error)
