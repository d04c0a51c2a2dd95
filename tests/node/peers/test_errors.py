"""Errors of the network edge: each says what happened and what to do."""

from __future__ import annotations

import re

from pico_node.peers import errors
from pico_node.peers.errors import PeerError


def kinds(kind: type[PeerError] = PeerError) -> list[type[PeerError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in kinds(sub))]


def test_no_error_is_without_words_and_the_drawing_shows_them_all():
    for kind in kinds():
        error = kind()
        assert str(error)
        assert error.hint
        assert re.search(rf"\b{kind.__name__}\s+{kind.status}\b", errors.__doc__)
    assert len({kind.code for kind in kinds()}) == len(kinds())
