"""What an agent answers by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.errors import BadMessage, SenderMismatch
from pico_didcomm.message import Message
from pico_didcomm.protocols import responder as module
from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message
from pico_didcomm.protocols.discover_features import DISCLOSE_TYPE, Query, make_queries, parse_disclose
from pico_didcomm.protocols.empty import EMPTY_TYPE, make_ack
from pico_didcomm.protocols.problem_report import (
    ERRORS_PER_THREAD_MAX,
    MAX_ERRORS_EXCEEDED,
    PROBLEM_REPORT_TYPE,
    ProblemReport,
    make_problem_report,
    parse_problem_report,
)
from pico_didcomm.protocols.responder import Effect, Received, Reply, Responder
from pico_didcomm.protocols.trust_ping import PING_TYPES, make_ping
from pico_didcomm.protocols.user_profile import Profile, make_profile, make_request_profile, parse_profile
from pico_didcomm.unpack import Unpacked

US, THEM = "did:example:us", "did:example:them"


@pytest.fixture
def responder() -> Responder:
    return new_responder()


def new_responder(**more: Any) -> Responder:
    ids = count(1)
    return Responder(lambda: f"r-{next(ids)}", **more)


def ask(responder: Responder, message: Message, sender: str | None = THEM) -> list[Effect]:
    responder.receive(Unpacked(message, sender, encrypted=True, authenticated=sender is not None), US)
    found = []
    while (effect := responder.next_effect()) is not None:
        found.append(effect)
    return found


def only_reply(effects: list[Effect]) -> Message:
    (reply,) = effects
    assert isinstance(reply, Reply)
    assert (reply.message.from_, reply.message.to) == (US, (THEM,))
    return reply.message


@pytest.mark.parametrize("type_", PING_TYPES)
def test_a_ping(responder: Responder, type_: str) -> None:
    assert only_reply(ask(responder, Message("p", type_, from_=THEM))).thid == "p"
    assert ask(responder, make_ping("p", THEM, US, response_requested=False)) == []


def test_nobody_is_answered_who_does_not_prove_who_it_is(responder: Responder) -> None:
    with pytest.raises(SenderMismatch):
        ask(responder, make_ping("p", THEM, US), None)


def test_features(responder: Responder) -> None:
    answer = only_reply(ask(responder, make_queries("q", THEM, US, [Query("protocol", "*ping*")])))
    assert (answer.type, answer.thid) == (DISCLOSE_TYPE, "q")
    assert [feature.id for feature in parse_disclose(answer)] == ["https://didcomm.org/trust-ping/2.0"]


def test_all_that_is_told_is_understood(responder: Responder) -> None:
    answer = only_reply(ask(responder, make_queries("q", THEM, US, [Query("protocol", "*")])))
    for feature in parse_disclose(answer):
        known = {table.protocol for table in module.PROTOCOLS}
        assert feature.id in known


def test_a_text_is_handed_on(responder: Responder) -> None:
    (received,) = ask(responder, make_basic_message("b", THEM, US, BasicMessage("hello")))
    assert isinstance(received, Received)
    assert received.content == BasicMessage("hello")


def test_profiles() -> None:
    shy, proud = new_responder(), new_responder(profile={"displayName": "We", "description": "us"})
    assert ask(shy, make_request_profile("q", THEM, US)) == []
    answer = only_reply(ask(proud, make_request_profile("q", THEM, US, ("displayName",))))
    assert answer.pthid == "q"
    assert parse_profile(answer) == Profile({"displayName": "We"})
    received, reply = ask(proud, make_profile("p", THEM, US, Profile({"displayName": "They"}, True)))
    assert isinstance(received, Received)
    assert isinstance(reply, Reply)
    assert not parse_profile(reply.message).send_back_yours


def test_what_is_not_understood_is_reported(responder: Responder) -> None:
    answer = only_reply(ask(responder, Message("x", "https://example.org/a/1.0/b", thid="t")))
    report = parse_problem_report(answer)
    assert (report.code, report.pthid, answer.ack) == ("e.p.msg.unsupported", "t", ("x",))
    assert not responder.understands("https://example.org/a/1.0/b")
    assert responder.understands(EMPTY_TYPE)


def test_what_cannot_be_read_is_reported(responder: Responder) -> None:
    answer = only_reply(ask(responder, Message("x", PING_TYPES[0], {"response_requested": 7})))
    assert parse_problem_report(answer).code == "e.p.msg"


def test_what_others_find_is_reported(responder: Responder) -> None:
    unpacked = Unpacked(make_ping("p", THEM, US), THEM)
    responder.report(unpacked, US, BadMessage("no"))
    responder.report(replace_sender(unpacked), US, BadMessage("no"))
    assert isinstance(responder.next_effect(), Reply)
    assert responder.next_effect() is None


def replace_sender(unpacked: Unpacked) -> Unpacked:
    return unpacked._replace(sender=None)


def test_acknowledgements(responder: Responder) -> None:
    ping = replace(make_ping("p", THEM, US), please_ack=("",))
    assert only_reply(ask(responder, ping)).ack == ("p",)
    text = replace(make_basic_message("b", THEM, US, BasicMessage("x")), please_ack=("",))
    received, reply = ask(responder, text)
    assert isinstance(received, Received)
    assert isinstance(reply, Reply)
    assert (reply.message.type, reply.message.ack) == (EMPTY_TYPE, ("b",))
    ack = replace(make_ack("k", THEM, US, text), please_ack=("",))
    assert ask(responder, ack) == []


def test_an_empty_message_with_headers_is_handed_on(responder: Responder) -> None:
    (received,) = ask(responder, Message("e", EMPTY_TYPE))
    assert isinstance(received, Received)
    assert received.content is None


def test_two_agents_do_not_report_problems_to_each_other_for_ever() -> None:
    one, other = new_responder(), new_responder()
    message = Message("x", "https://example.org/a/1.0/b", thid="t")
    said, speaker, listener = 0, one, other
    while True:
        replies = [effect.message for effect in ask(speaker, message) if isinstance(effect, Reply)]
        if not replies:
            break
        said += 1
        message = replace(replies[0], type="https://example.org/a/1.0/c", thid="t")
        speaker, listener = listener, speaker
        assert said < 100
    assert said <= 2 * (ERRORS_PER_THREAD_MAX + 1)


def test_the_last_word(responder: Responder) -> None:
    report = make_problem_report("x", ProblemReport("e.p.me", "t"), THEM, US)
    for _ in range(ERRORS_PER_THREAD_MAX):
        (received,) = ask(responder, report)
        assert isinstance(received, Received)
    _, reply = ask(responder, report)
    assert isinstance(reply, Reply)
    assert parse_problem_report(reply.message).code == MAX_ERRORS_EXCEEDED
    assert [type(effect) for effect in ask(responder, report)] == [Received]
    assert ask(responder, replace(make_ping("p", THEM, US), thid="t")) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(module._HANDLERS)), st.dictionaries(st.text(max_size=8), json_values, max_size=4)
)
def test_any_body_gives_an_answer_or_nothing(type_: str, body: dict[str, Any]) -> None:
    effects = ask(new_responder(), Message("x", type_, body, pthid="t"))
    assert all(isinstance(effect, Reply | Received) for effect in effects)
    for effect in effects:
        if isinstance(effect, Reply) and effect.message.type == PROBLEM_REPORT_TYPE:
            parse_problem_report(effect.message)
