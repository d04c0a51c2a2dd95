"""Entropy: as many bytes as asked for, none of them twice."""

from __future__ import annotations

import os

import pytest

from pico_node import entropy as entropy_module
from pico_node.entropy import PIECE_BYTES, SystemEntropy


@pytest.mark.parametrize("count", [0, 1, 16, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_as_many_as_asked_for(count: int) -> None:
    entropy = SystemEntropy()
    assert len(entropy(7)) == 7
    assert len(entropy(count)) == count


def test_no_byte_is_given_twice(monkeypatch) -> None:
    pieces: list[bytes] = []
    real = os.urandom
    monkeypatch.setattr(entropy_module.os, "urandom", lambda count: pieces.append(real(count)) or pieces[-1])
    entropy = SystemEntropy()
    taken = [entropy(count) for count in (16, 32, 48, 4_000, 16, 5_000, 1) * 3]
    source = b"".join(pieces)
    position = 0
    for piece in taken:
        position = source.index(piece, position) + len(piece)


def test_two_of_them_differ() -> None:
    assert SystemEntropy()(32) != SystemEntropy()(32)
