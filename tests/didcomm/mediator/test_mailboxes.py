"""Mailboxes: who is served, limits, expiry; and a model that a random history is compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.errors import LimitExceeded, NoRoute
from pico_didcomm.mediator.mailboxes import Mailboxes, MediatorLimits
from pico_didcomm.mediator.rows import MemoryRows
from pico_didcomm.protocols.coordinate_mediation import Page
from pico_didcomm.protocols.pickup import Status
from tests.didcomm.helpers import seeded

A, B = "did:example:a", "did:example:b"
ONE, TWO = "did:example:one", "did:example:two"
LIMITS = MediatorLimits(
    clients_max=2,
    dids_per_client_max=2,
    messages_per_client_max=3,
    bytes_per_client_max=100,
    message_bytes_max=60,
    message_age_max_ms=1_000,
    delivery_bytes_max=70,
)


def made(limits: MediatorLimits = LIMITS) -> Mailboxes:
    boxes = Mailboxes(MemoryRows(), seeded("boxes"), limits)
    boxes.grant(A, A + "-long", 0)
    assert boxes.add(A, ONE) == "success"
    return boxes


def test_who_is_served() -> None:
    boxes = made()
    assert (boxes.is_client(A), boxes.is_client(B)) == (True, False)
    assert boxes.long_form_of(A) == A + "-long"
    boxes.grant(A, A, 5)  # asks again, by its short form
    assert boxes.long_form_of(A) == A + "-long"
    boxes.grant(B, B, 0)
    with pytest.raises(LimitExceeded):
        boxes.grant("did:example:c", "did:example:c", 0)
    boxes.revoke(B)
    boxes.revoke(B)
    boxes.grant("did:example:c", "did:example:c", 0)


def test_a_did_belongs_to_one_client() -> None:
    boxes = made()
    boxes.grant(B, B, 0)
    assert boxes.add(A, ONE) == "no_change"
    assert boxes.add(B, ONE) == "client_error"
    assert boxes.remove(B, ONE) == "client_error"
    assert boxes.remove(A, TWO) == "no_change"
    assert boxes.add("did:example:c", TWO) == "client_error"
    assert boxes.remove("did:example:c", TWO) == "client_error"
    assert boxes.remove(A, ONE) == "success"
    assert boxes.add(B, ONE) == "success"
    assert boxes.client_of(ONE + "#key-1") == (B, ONE)
    assert boxes.client_of(TWO) is None


def test_long_forms_are_registered_by_their_short_ones() -> None:
    boxes = made()
    assert boxes.add(A, "did:peer:4zQmA:zB") == "success"
    assert boxes.client_of("did:peer:4zQmA") == boxes.client_of("did:peer:4zQmA:zB") == (A, "did:peer:4zQmA")


def test_pages() -> None:
    boxes = made(replace(LIMITS, dids_per_client_max=5))
    names = [ONE, *(f"did:example:x{n}" for n in range(4))]
    for name in names:
        boxes.add(A, name)
    assert boxes.add(A, TWO) == "client_error"  # dids_per_client_max
    assert boxes.page(A, 2, 0) == Page(tuple(names[:2]), 0, 3)
    assert boxes.page(A, 2, 4) == Page((names[4],), 4, 0)
    assert boxes.page(A, 2, 9) == Page((), 9, 0)
    assert boxes.page(B, 2, 0) == Page((), 0, 0)


def test_messages_wait_until_they_are_dropped() -> None:
    boxes = made()
    boxes.add(A, TWO)
    first = boxes.put(ONE, b"1" * 10, 100, None)
    second = boxes.put(TWO, b"2" * 20, 200, None)
    assert boxes.status(A, None) == Status(2, None, 100, 200, 30)
    assert boxes.status(A, TWO) == Status(1, TWO, 200, 200, 20)
    assert boxes.status(A, "did:example:nobody") == Status(0, "did:example:nobody", None, None, 0)
    assert [one.id for one in boxes.waiting(A, None, 10)] == [first.id, second.id]
    assert [one.envelope for one in boxes.waiting(A, TWO, 10)] == [b"2" * 20]
    assert [one.id for one in boxes.waiting(A, None, 1)] == [first.id]
    assert boxes.drop(A, [first.id, first.id, "nonsense", first.id[:12] + "0" * 16]) == 1
    assert boxes.status(A, None).message_count == 1
    assert boxes.drop(B, [second.id]) == 0


def test_a_delivery_has_a_size() -> None:
    boxes = made()
    for _ in range(2):
        boxes.put(ONE, b"x" * 50, 0, None)
    assert len(boxes.waiting(A, None, 10)) == 1


def test_limits() -> None:
    boxes = made()
    with pytest.raises(NoRoute):
        boxes.put(TWO, b"x", 0, None)
    with pytest.raises(LimitExceeded, match="message_bytes_max"):
        boxes.put(ONE, b"x" * 61, 0, None)
    boxes.put(ONE, b"x" * 60, 0, None)
    with pytest.raises(LimitExceeded, match="bytes_per_client_max"):
        boxes.put(ONE, b"x" * 41, 0, None)
    boxes.put(ONE, b"x" * 20, 0, None)
    boxes.put(ONE, b"x" * 20, 0, None)
    with pytest.raises(LimitExceeded, match="messages_per_client_max"):
        boxes.put(ONE, b"", 0, None)


def test_expiry() -> None:
    boxes = made()
    assert boxes.next_expiry() is None
    boxes.put(ONE, b"1", 0, 500)
    boxes.put(ONE, b"2", 0, 10**9)  # not longer than the mediator keeps anything
    boxes.put(ONE, b"3", 100, None)
    assert boxes.next_expiry() == 500
    assert boxes.expire(499) == 0
    assert boxes.expire(500) == 1
    assert boxes.next_expiry() == 1_000
    assert boxes.expire(1_000) == 1
    assert [one.envelope for one in boxes.waiting(A, None, 5)] == [b"3"]
    assert boxes.status(A, None).total_bytes == 1
    assert boxes.expire(10_000) == 1
    assert boxes.next_expiry() is None


def test_who_is_served_no_more_leaves_nothing() -> None:
    rows = MemoryRows()
    boxes = Mailboxes(rows, seeded("boxes"), LIMITS)
    boxes.grant(A, A, 0)
    boxes.add(A, ONE)
    boxes.put(ONE, b"1", 0, None)
    boxes.revoke(A)
    assert list(rows.scan("", "~")) == []


def test_a_restart_changes_nothing() -> None:
    rows = MemoryRows()
    boxes = Mailboxes(rows, seeded("boxes"), LIMITS)
    boxes.grant(A, A, 0)
    boxes.add(A, ONE)
    before = boxes.put(ONE, b"1", 0, None)
    again = Mailboxes(rows, seeded("others"), LIMITS)
    after = again.put(ONE, b"2", 0, None)
    assert [one.id for one in again.waiting(A, None, 9)] == [before.id, after.id]
    again.grant(B, B, 0)
    with pytest.raises(LimitExceeded):
        again.grant("did:example:c", "did:example:c", 0)


steps = st.one_of(
    st.tuples(st.just("put"), st.sampled_from([ONE, TWO]), st.integers(0, 60), st.integers(1, 30)),
    st.tuples(st.just("drop"), st.integers(0, 5)),
    st.tuples(st.just("add"), st.sampled_from([ONE, TWO])),
    st.tuples(st.just("remove"), st.sampled_from([ONE, TWO])),
    st.tuples(st.just("wait"), st.integers(1, 50)),
)


@settings(max_examples=150)
@given(st.lists(steps, max_size=30))
def test_a_random_history_is_that_of_a_list(history: list[tuple[object, ...]]) -> None:
    boxes, now = made(), 0
    registered, model = {ONE}, []  # (id, did, size, until)
    for step in history:
        match step:
            case ("put", did, size, lifetime):
                fits = len(model) < 3 and sum(one[2] for one in model) + size <= 100
                try:
                    queued = boxes.put(did, b"x" * size, now, now + lifetime)
                    assert fits
                    assert did in registered
                    model.append((queued.id, did, size, now + lifetime))
                except NoRoute:
                    assert did not in registered
                except LimitExceeded:
                    assert not fits
            case ("drop", n):
                if model:
                    boxes.drop(A, [model.pop(n % len(model))[0]])
            case ("add", did):
                boxes.add(A, did)
                registered.add(did)
            case ("remove", did):
                boxes.remove(A, did)
                registered.discard(did)
            case ("wait", ms):
                now += ms
                boxes.expire(now)
                model = [one for one in model if one[3] > now]
        status = boxes.status(A, None)
        assert (status.message_count, status.total_bytes) == (len(model), sum(one[2] for one in model))
        assert boxes.next_expiry() == min((one[3] for one in model), default=None)
        assert set(boxes.page(A, 9, 0).dids) == registered
