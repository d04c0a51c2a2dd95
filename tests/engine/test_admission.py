"""Who may enter: every door against every kind of channel and sender."""

from __future__ import annotations

import pytest

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.channels import ALLOW_ALL, Policy
from pico_engine.errors import BadRequest, Busy, DeniedByPolicy, LimitExceeded, UnknownChannel, UnknownPico
from pico_engine.limits import EngineLimits
from pico_engine.messages import (
    DIDCOMM_DOOR,
    HTTP_DOOR,
    LOCAL_DOOR,
    OWNER,
    SYSTEM_DOOR,
    EventAnswer,
    Failed,
)
from tests.engine.helpers import Steps


class Open(Ruleset, rid="test.open"):
    hops: int = ent(default=0)

    @rule(when("a:ask"))
    def ask(self, event: Event) -> None:
        self.directive("entered", eci=event.eci, sender=event.sender)

    @rule(when("a:ball"))
    def play(self, event: Event) -> None:
        self.hops += 1
        self.send(event.attr("to"), "a:ball", to=event.attr("back"), back=event.attr("to"))

    @query
    def value(self) -> int:
        return self.hops


@pytest.fixture
def steps() -> Steps:
    return Steps(Open)


PEER, OTHER = "did:example:peer", "did:example:other"

IN, OUT = True, False
TABLE = [
    # channel's doors, its peer, the message's door, its sender, may it enter
    (("http",), None, HTTP_DOOR, None, IN),
    (("http",), None, LOCAL_DOOR, "stranger", IN),
    (("http",), None, LOCAL_DOOR, "root", IN),
    (("http",), None, DIDCOMM_DOOR, PEER, OUT),
    (("http",), PEER, DIDCOMM_DOOR, PEER, OUT),
    (("http",), None, "no such door", None, OUT),
    (("http",), None, "family", "root", OUT),
    (("didcomm",), PEER, HTTP_DOOR, None, OUT),
    (("didcomm",), PEER, HTTP_DOOR, PEER, OUT),
    (("didcomm",), PEER, DIDCOMM_DOOR, PEER, IN),
    (("didcomm",), PEER, DIDCOMM_DOOR, OTHER, OUT),
    (("didcomm",), PEER, DIDCOMM_DOOR, None, OUT),
    (("didcomm",), None, DIDCOMM_DOOR, PEER, OUT),
    (("didcomm",), None, DIDCOMM_DOOR, None, OUT),
    (("didcomm",), None, HTTP_DOOR, None, OUT),
    (("didcomm",), None, LOCAL_DOOR, "stranger", IN),  # a subscription that is being arranged
    (("didcomm",), PEER, LOCAL_DOOR, "stranger", OUT),
    (("didcomm",), "channel of stranger", LOCAL_DOOR, "stranger", IN),
    (("didcomm",), "channel of stranger", LOCAL_DOOR, "root", OUT),
    (("didcomm", "http"), PEER, HTTP_DOOR, None, IN),
    (("didcomm", "http"), PEER, DIDCOMM_DOOR, PEER, IN),
    (("didcomm", "http"), PEER, DIDCOMM_DOOR, OTHER, OUT),
]


@pytest.mark.parametrize(("doors", "peer", "door", "sender", "enters"), TABLE)
def test_doors_and_senders(steps: Steps, doors, peer, door, sender, enters) -> None:
    stranger = steps.child("test.open")["did"]
    names = {
        "stranger": stranger,
        "root": steps.root,
        "channel of stranger": steps.channel(stranger),
    }
    peer, sender = names.get(peer, peer), names.get(sender, sender)
    eci = steps.channel(doors=doors, peer=peer)
    if enters:
        [directive] = steps.event(eci, "a:ask", door=door, sender=sender)
        assert directive["options"] == {"eci": eci, "sender": sender}
        assert steps.query(eci, "test.open", "value", door=door, sender=sender) == 0
        return
    for ask in (
        lambda: steps.event(eci, "a:ask", door=door, sender=sender),
        lambda: steps.query(eci, "test.open", "value", door=door, sender=sender),
    ):
        with pytest.raises(DeniedByPolicy):
            ask()


@pytest.mark.parametrize("door", [HTTP_DOOR, DIDCOMM_DOOR, LOCAL_DOOR])
def test_family_channels_are_for_the_family(steps: Steps, door) -> None:
    child = steps.child("test.open")
    stranger = steps.child("test.open")["did"]
    own = steps.engine.pico(child["did"]).info.get("self_eci")
    relations = {child["eci"]: steps.root, child["parent_eci"]: child["did"], own: child["did"]}
    for eci, related in relations.items():
        for sender in (steps.root, child["did"], stranger, None):
            if door == LOCAL_DOOR and sender == related:
                assert steps.event(eci, "a:ask", door=door, sender=sender)
            else:
                with pytest.raises(DeniedByPolicy):
                    steps.event(eci, "a:ask", door=door, sender=sender)


def test_owner_and_system_enter_by_did_past_all_policies(steps: Steps) -> None:
    for door in (OWNER, SYSTEM_DOOR):
        [directive] = steps.event(steps.root, "a:ask", door=door)
        assert directive["options"]["eci"] == ""
        for unknown in ("did:example:none", "", "p/q", "\ud800", steps.root + "/v", "é"):
            with pytest.raises(UnknownPico):
                steps.event(unknown, "a:ask", door=door)


def test_unknown_channels(steps: Steps) -> None:
    for eci in ("did:example:none", "", steps.root, "\ud800"):
        with pytest.raises(UnknownChannel):
            steps.event(eci, "a:ask", door=HTTP_DOOR)
        with pytest.raises(UnknownChannel):
            steps.query(eci, "test.open", "value", door=HTTP_DOOR)
    assert steps.engine.index.rows.keys() <= set(steps.engine.pico(steps.root).channels.rows)


def test_policies_deny_first(steps: Steps) -> None:
    events = Policy(allow=(("a", "*"), ("b", "c")), deny=(("a", "ball"),))
    queries = Policy(allow=(("test.open", "value"),), deny=())
    eci = steps.channel(events=events, queries=queries)
    for name, may in (("a:ask", True), ("a:ball", False), ("b:c", True), ("b:d", False), ("c:c", False)):
        if may:
            steps.event(eci, name, door=HTTP_DOOR)
        else:
            with pytest.raises(DeniedByPolicy, match=name):
                steps.event(eci, name, door=HTTP_DOOR)
    assert steps.query(eci, "test.open", "value", door=HTTP_DOOR) == 0
    with pytest.raises(DeniedByPolicy):
        steps.query(eci, "test.open", "other", door=HTTP_DOOR)


def test_a_changed_policy_holds_at_once(steps: Steps) -> None:
    """Admissions are remembered; they must be forgotten in time."""
    eci = steps.channel()
    steps.event(eci, "a:ask", door=HTTP_DOOR)
    deny = Policy(allow=(("*", "*"),), deny=(("a", "ask"),))
    steps.operate(
        steps.root, lambda pico: pico.engine.family.change_channel(pico, eci, {"event_policy": deny}).eci
    )
    with pytest.raises(DeniedByPolicy):
        steps.event(eci, "a:ask", door=HTTP_DOOR)
    steps.operate(
        steps.root, lambda pico: pico.engine.family.change_channel(pico, eci, {"event_policy": ALLOW_ALL}).eci
    )
    steps.event(eci, "a:ask", door=HTTP_DOOR)
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_channel(pico, eci))
    with pytest.raises(UnknownChannel):
        steps.event(eci, "a:ask", door=HTTP_DOOR)


def test_a_deleted_picos_channel_is_closed_at_once(steps: Steps) -> None:
    child = steps.child("test.open")["did"]
    eci = steps.channel(child)
    steps.event(eci, "a:ask", door=HTTP_DOOR)
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, child))
    with pytest.raises(UnknownChannel):
        steps.event(eci, "a:ask", door=HTTP_DOOR)


def test_attributes_have_a_size_and_a_shape() -> None:
    steps = Steps(Open, limits=EngineLimits(attributes_max_bytes=100))
    eci = steps.channel()
    steps.event(eci, "a:ask", {"a": "x" * 90}, door=HTTP_DOOR)
    for attrs, error in (
        ({"a": "x" * 100}, LimitExceeded),
        ({"a": object()}, BadRequest),
        ({"a": float("nan")}, BadRequest),
        ({"a": "\ud800"}, BadRequest),
        ({"a": 1 << 80}, BadRequest),
        ([1, 2], BadRequest),
        ("text", BadRequest),
    ):
        for durable in (False, True):
            with pytest.raises(error):
                steps.event(eci, "a:ask", attrs, door=HTTP_DOOR, durable=durable)
    assert not steps.engine.pico(steps.root).queue.rows


def test_a_ball_that_two_picos_throw_comes_to_rest() -> None:
    steps = Steps(Open, limits=EngineLimits(hops_max=7))
    child = steps.child("test.open")
    steps.event(steps.root, "a:ball", {"to": child["eci"], "back": child["parent_eci"]})
    played = sum(steps.query(did, "test.open", "value") for did in (steps.root, child["did"]))
    assert played == 8
    assert any("hops_max" in line.text for line in steps.logs)


def test_a_full_queue_says_busy() -> None:
    steps = Steps(Open, limits=EngineLimits(queue_max_messages=3))
    eci = steps.channel()
    replies = [steps.send(eci, "a:ask", door=HTTP_DOOR) for _ in range(3)]
    refused = steps.send(eci, "a:ask", door=HTTP_DOOR)
    assert isinstance(steps.answer(refused), Failed)
    assert isinstance(steps.answer(refused).error, Busy)
    question = steps.ask(eci, "test.open", "value", door=HTTP_DOOR)
    assert isinstance(steps.answer(question).error, Busy)
    steps.settle()
    assert all(isinstance(steps.answer(reply), EventAnswer) for reply in replies)


def test_a_refused_event_that_nobody_waits_for_is_logged(steps: Steps) -> None:
    from pico_engine.messages import EventMessage

    steps.engine.receive(EventMessage("did:example:none", "a", "b"), steps.now)
    steps.turns(0)
    assert "no channel did:example:none" in steps.logs[-1].text
    assert steps.engine.counters["refused_unknown-channel"] == 1
