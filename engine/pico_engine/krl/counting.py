"""How operators count their work, before they do it."""

from __future__ import annotations

from pico_engine.krl.values import CHARS_PER_ELEMENT, Run, Value, to_number

_SCANNED_PER_STEP = 64
"""Characters looked at, or elements copied, that cost about as much as one step of running code."""


def scan(run: Run, amount: int) -> None:
    """Counts looking through `amount` characters, or copying as many elements."""
    if amount >= _SCANNED_PER_STEP:
        run.step(amount // _SCANNED_PER_STEP)


def number_of(run: Run, value: Value) -> int | float | None:
    """The value's number, or None; the characters of a text are counted."""
    if type(value) is str:
        scan(run, len(value))
    return to_number(value)


def make(run: Run, elements: int) -> None:
    """Counts a new list or map of `elements` that are copied or made in one go."""
    scan(run, elements)
    run.grow(CHARS_PER_ELEMENT * elements)


def write(run: Run, chars: int) -> None:
    """Counts a new text."""
    scan(run, chars)
    run.grow(chars)
