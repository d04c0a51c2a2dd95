"""Messages of other agents have their effect once, whatever is repeated and whenever the node is killed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pico_didcomm.protocols.basic_message import BasicMessage, make_basic_message
from pico_didcomm.protocols.empty import EMPTY_TYPE
from pico_didcomm.protocols.events import Event, make_event
from pico_didcomm.protocols.problem_report import parse_problem_report
from pico_node.agent.limits import AgentLimits
from pico_node.agent.messages import ForeignAnswer, ForeignMessage
from tests.node.agent.test_foreign import Stranger, World, only, returning


@pytest.fixture
def world() -> World:
    return World()


def text(stranger: Stranger, said: str = "once") -> bytes:
    """A basic message that asks for an acknowledgement."""
    message = make_basic_message(said, stranger.did, stranger.theirs, BasicMessage(said))
    return stranger.seal(returning(replace(message, please_ack=("",))))


def event(stranger: Stranger, name: str = "reading", domain: str = "sensor") -> bytes:
    made = make_event("e", stranger.did, stranger.theirs, Event(domain, name, {"content": "once"}))
    return stranger.seal(returning(replace(made, please_ack=("",))))


def effects_of(world: World, said: str = "once") -> int:
    return [one.get("content") for one in world.heard()].count(said)


def rows(world: World) -> list[str]:
    return [key for key, _ in world.node.agent.node.taken.scan()]


def kill(world: World) -> None:
    """What is not in the store is lost; nothing that waited for it has left."""
    world.node.start()


@pytest.mark.parametrize("make", [text, event])
def test_killed_before_the_write_it_is_applied_when_it_comes_again(world: World, make: Any) -> None:
    stranger = world.met(Stranger(world.net))
    envelope = make(stranger)
    world.node.agent.receive(ForeignMessage("", envelope, "http"), world.net.clock.now)
    kill(world)
    assert effects_of(world) == 0
    (answer,) = world.give(envelope, reply="http")
    assert stranger.open(answer.message).message.type == EMPTY_TYPE
    assert effects_of(world) == 1


@pytest.mark.parametrize("make", [text, event])
def test_killed_after_the_write_it_is_acknowledged_again_and_not_applied(world: World, make: Any) -> None:
    stranger = world.met(Stranger(world.net))
    envelope = make(stranger)
    assert only(stranger, world.give(envelope)).ack != ()
    for _ in range(2):
        kill(world)
        assert only(stranger, world.give(envelope)).type == EMPTY_TYPE
        assert effects_of(world) == 1
        assert world.node.counters["messages_repeated"] == 1


def test_it_is_acknowledged_only_when_its_effect_is_in_the_store(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    agent = world.node.agent
    agent.receive(ForeignMessage("", text(stranger), "http"), world.net.clock.now)
    assert agent.next_effect() is None  # neither the acknowledgement nor the answer of the request
    (answer,) = world.effects()
    assert isinstance(answer, ForeignAnswer)
    assert (effects_of(world), len(rows(world))) == (1, 2)


def test_what_came_twice_before_its_turn_is_applied_once(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    for _ in range(3):
        world.node.agent.receive(ForeignMessage("", text(stranger), "http"), world.net.clock.now)
    assert len(world.effects()) == 3
    assert effects_of(world) == 1


def test_what_the_policy_denies_is_not_consumed(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    broken = event(stranger, "ended", "connection")
    assert parse_problem_report(only(stranger, world.give(broken))).code == "e.m.denied-by-policy"
    assert rows(world) == []  # it had no turn, and can be sent again when the policy allows it


def test_only_the_last_ones_are_remembered(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    world.node.agent.limits = AgentLimits(taken_max_messages=3)
    for n in range(10):
        world.give(text(stranger, f"text-{n}"))
        assert len(rows(world)) <= 6
    for n in (7, 8, 9):
        world.give(text(stranger, f"text-{n}"))
        assert effects_of(world, f"text-{n}") == 1
    world.give(text(stranger, "text-0"))
    assert effects_of(world, "text-0") == 2  # the bound, as documented


def test_of_each_connection(world: World) -> None:
    for name in ("one", "two"):
        world.give(text(world.met(Stranger(world.net, name))))
    assert effects_of(world) == 2


def test_nothing_is_left_of_a_connection_that_ended(world: World) -> None:
    stranger = world.met(Stranger(world.net))
    world.give(text(stranger))
    assert rows(world)
    world.node.command("connection_end", pico="a", id=world.node.connection()["id"])
    assert rows(world) == []
