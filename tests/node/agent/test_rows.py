"""Rows: numbers and marks of connections, and outboxes that stay in order."""

from __future__ import annotations

from typing import Any

from pico_engine.harness import Harness
from pico_engine.messages import OperationMessage
from pico_node.agent.frames import NUMBER_MAX
from pico_node.agent.rows import (
    MARK_CHARS,
    connection_of,
    connection_to,
    connections_of,
    drop_connection,
    drop_outbox,
    mark_of,
    marks,
    numbers,
    outbox_key,
    put_connection,
    put_numbers,
    put_received,
)

A, B = "did:peer:a", "did:peer:b"


def with_pico(run: Any) -> None:
    harness = Harness()
    done = []

    def test(pico: Any) -> None:
        run(pico)
        done.append(pico)

    harness.bench.ask(OperationMessage(harness.did, "test", test))
    assert done, "the assertions of the test failed"


def test_numbers_and_marks() -> None:
    def run(pico: Any) -> None:
        assert numbers(pico, A) == (0, 0)
        assert marks(pico, A) == ("", "")
        put_numbers(pico, A, 3, 4, "sent", "received")
        assert numbers(pico, A) == (3, 4)
        put_received(pico, A, 5, "0123456789abcdef" * 2)
        assert numbers(pico, A) == (3, 5)
        assert marks(pico, A) == ("sent", "0123456789abcdef")
        assert connections_of(pico) == []

    with_pico(run)


def test_marks_are_the_beginning_of_ids() -> None:
    assert mark_of("x" * 100) == "x" * MARK_CHARS
    assert mark_of("") == ""


def test_connections_by_channel_and_by_the_other_side() -> None:
    def run(pico: Any) -> None:
        put_connection(pico, A, {"their_did": "did:theirs:1", "state": "x"})
        put_connection(pico, B, {"their_did": "did:theirs:2", "state": "y"}, state="z")
        put_numbers(pico, A, 1, 1)
        assert connection_to(pico, "did:theirs:2") == B
        assert connection_to(pico, "did:theirs:3") is None
        assert [eci for eci, _ in connections_of(pico)] == [A, B]
        row = connection_of(pico, B)
        assert row is not None
        assert row["state"] == "z"
        drop_connection(pico, A)
        assert connection_of(pico, A) is None
        assert numbers(pico, A) == (0, 0)
        assert connection_of(pico, B) is not None

    with_pico(run)


def test_an_outbox_is_in_the_order_of_its_numbers() -> None:
    found = [outbox_key(A, number) for number in (1, 2, 15, 16, 255, 1 << 20, NUMBER_MAX, 2 * NUMBER_MAX - 1)]
    assert found == sorted(found)


def test_dropping_an_outbox_leaves_others() -> None:
    def run(pico: Any) -> None:
        for eci in (A, A + "a", B):
            pico.outbox.put(outbox_key(eci, 1), 1)
        drop_outbox(pico, A)
        assert [key for key, _ in pico.outbox.scan()] == [outbox_key(A + "a", 1), outbox_key(B, 1)]

    with_pico(run)
