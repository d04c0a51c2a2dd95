"""The doors' interface, and that driver and node keep to it."""

from __future__ import annotations

import inspect

import pytest

from pico_node.api import EventResult, NodeApi
from pico_node.driver import Driver
from pico_node.node import Node

METHODS = [name for name, one in vars(NodeApi).items() if inspect.isfunction(one) and name[0] != "_"]


def test_what_the_doors_may_ask() -> None:
    assert sorted(METHODS) == [
        "ask", "command", "didcomm", "event", "event_queued", "event_then_query", "health", "metrics",
        "query", "socket_closed", "socket_opened",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [Driver, Node])
@pytest.mark.parametrize("name", METHODS)
def test_driver_and_node_have_every_method_with_its_signature(kind: type, name: str) -> None:
    asked, given = inspect.signature(getattr(NodeApi, name)), inspect.signature(getattr(kind, name))
    assert list(asked.parameters.values()) == list(given.parameters.values())


def test_an_event_s_result() -> None:
    assert EventResult("1", []) == EventResult("1", [])
