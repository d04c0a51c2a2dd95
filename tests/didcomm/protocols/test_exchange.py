"""Requests that wait: answered, refused, late, answered by somebody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pico_didcomm.errors import LimitExceeded, UnexpectedMessage
from pico_didcomm.message import Message
from pico_didcomm.protocols.exchange import Exchanges
from pico_didcomm.protocols.problem_report import ProblemReport, make_problem_report
from pico_didcomm.protocols.trust_ping import PROTOCOL, TABLES, make_ping, make_ping_response
from pico_didcomm.unpack import Unpacked

A, B, C = "did:example:a", "did:example:b", "did:example:c"
PING = make_ping("p", A, B)
PONG = make_ping_response("r", PING, B, A)


def from_(message: Message, sender: str | None) -> Unpacked:
    return Unpacked(message, sender, encrypted=True, authenticated=sender is not None)


@pytest.fixture
def exchanges() -> Exchanges:
    found = Exchanges(exchanges_max=2)
    found.begin(TABLES[0], PING, now_ms=1_000, timeout_ms=500)
    return found


def test_an_answer_settles_once(exchanges: Exchanges) -> None:
    assert exchanges.next_timer() == 1_500
    assert exchanges.receive(from_(PONG, B), 1_100)
    settled = exchanges.next_effect()
    assert settled is not None
    assert (settled.request, settled.answer.message, settled.problem) == (PING, PONG, None)
    assert not exchanges.receive(from_(PONG, B), 1_100)
    assert exchanges.next_effect() is None
    assert exchanges.next_timer() is None


@pytest.mark.parametrize(
    "unpacked",
    [
        from_(PONG, None),
        from_(PONG, C),
        from_(replace(PONG, thid=None), B),
        from_(replace(PONG, thid="other"), B),
        from_(replace(PONG, type="https://example.org/ping-response"), B),
    ],
)
def test_what_is_no_answer_changes_nothing(exchanges: Exchanges, unpacked: Unpacked) -> None:
    assert not exchanges.receive(unpacked, 1_100)
    assert exchanges.receive(from_(PONG, B), 1_100)


def test_a_message_that_the_table_does_not_allow(exchanges: Exchanges) -> None:
    with pytest.raises(UnexpectedMessage):
        exchanges.receive(from_(replace(PONG, type=f"{PROTOCOL}/pang"), B), 1_100)


def test_a_problem_fails_the_request(exchanges: Exchanges) -> None:
    report = make_problem_report("x", ProblemReport("e.p.me", "p"), B, A)
    assert not exchanges.receive(from_(report, C), 1_100)
    assert exchanges.receive(from_(report, B), 1_100)
    settled = exchanges.next_effect()
    assert settled is not None
    assert settled.answer is None
    assert settled.problem is not None
    assert settled.problem.code == "e.p.me"


def test_silence(exchanges: Exchanges) -> None:
    exchanges.handle_timer(1_499)
    assert exchanges.next_effect() is None
    exchanges.handle_timer(1_500)
    settled = exchanges.next_effect()
    assert settled is not None
    assert (settled.request, settled.answer, settled.problem) == (PING, None, None)


def test_an_answer_after_the_deadline_is_none(exchanges: Exchanges) -> None:
    assert not exchanges.receive(from_(PONG, B), 1_500)


def test_limits(exchanges: Exchanges) -> None:
    exchanges.begin(TABLES[0], PING, now_ms=1_200, timeout_ms=500)  # sent again: it waits longer
    assert exchanges.next_timer() == 1_700
    exchanges.begin(TABLES[0], make_ping("q", A, B), now_ms=0, timeout_ms=1)
    with pytest.raises(LimitExceeded):
        exchanges.begin(TABLES[0], make_ping("s", A, B), now_ms=0, timeout_ms=1)
    with pytest.raises(UnexpectedMessage):
        exchanges.begin(TABLES[0], replace(PING, to=()), now_ms=0, timeout_ms=1)
