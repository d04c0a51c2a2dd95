"""Frames: what is written is read back, everything else is refused by a BadRequest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import BadRequest
from pico_node.agent.frames import (
    ACK,
    END_NUMBER,
    HELLO,
    NUMBER_MAX,
    OPEN,
    UNKNOWN,
    frame,
    read_frame,
)


@pytest.mark.parametrize(
    ("letter", "content"),
    [
        (HELLO, {}),
        (HELLO, {"addresses": ["/a"], "later": 1}),
        (OPEN, ["did:a", "did:b", 0, NUMBER_MAX]),
        (ACK, []),
        (ACK, [["did:a", 1], ["did:b", 2, "mark"], ["did:c", END_NUMBER]]),
        (UNKNOWN, ["did:a", "did:b"]),
    ],
)
def test_there_and_back(letter: bytes, content: Any) -> None:
    assert read_frame(frame(letter, content)) == (letter, content)


@pytest.mark.parametrize(
    ("letter", "content"),
    [
        (HELLO, []),
        (HELLO, "x"),
        (OPEN, ["did:a", "did:b", 0]),
        (OPEN, ["did:a", "did:b", 0, -1]),
        (OPEN, ["did:a", "did:b", 0, 1.5]),
        (OPEN, ["did:a", "did:b", True, 1]),
        (OPEN, ["did:a", "did:b", 0, NUMBER_MAX + 1]),
        (OPEN, ["a", "did:b", 0, 1]),
        (OPEN, {"0": 1}),
        (ACK, {}),
        (ACK, [["did:a"]]),
        (ACK, [["did:a", 1, 2]]),
        (ACK, [["did:a", 1, "m", 3]]),
        (ACK, [["x", 1]]),
        (ACK, [None]),
        (UNKNOWN, ["did:a"]),
        (UNKNOWN, ["did:a", 1]),
        (b"Z", {}),
        (b"", {}),
    ],
)
def test_what_says_nothing_is_refused(letter: bytes, content: Any) -> None:
    with pytest.raises(BadRequest):
        read_frame(frame(letter, content))


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        letter, _ = read_frame(data)
    except BadRequest:
        return
    assert letter in (HELLO, OPEN, ACK, UNKNOWN)


def test_numbers_fit_the_key_of_an_outbox_row() -> None:
    assert len(f"{2 * NUMBER_MAX - 1:012x}") == 12
    assert END_NUMBER > NUMBER_MAX
