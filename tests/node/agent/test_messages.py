"""Messages and effects: one union each, with the engine's own inside."""

from __future__ import annotations

from typing import get_args

from pico_engine import messages as engine_messages
from pico_node.agent import messages


def test_the_engine_s_messages_and_effects_are_among_them() -> None:
    assert set(get_args(engine_messages.Message)) <= set(get_args(messages.Message))
    assert set(get_args(engine_messages.Effect)) <= set(get_args(messages.Effect))


def test_what_the_agent_adds() -> None:
    added = set(get_args(messages.Message)) - set(get_args(engine_messages.Message))
    assert {one.__name__ for one in added} == {
        "Command", "DocumentFetched", "ForeignMessage", "LinkDown", "LinkUp", "PeerDown", "PeerFound",
        "PeerFrames", "PeerUp", "PostAnswered", "SocketDown", "SocketUp",
    }  # fmt: skip
    effects = set(get_args(messages.Effect)) - set(get_args(engine_messages.Effect))
    assert {one.__name__ for one in effects} == {
        "CommandAnswer", "Connect", "FetchDocument", "Forget", "ForeignAnswer", "OpenLink", "PostMessage",
        "SendForeign", "SendFrames", "SendLink", "SendSocket",
    }  # fmt: skip


def test_all_of_it_is_exported() -> None:
    assert {one.__name__ for one in get_args(messages.Message)} - set(messages.__all__) <= {
        one.__name__ for one in get_args(engine_messages.Message)
    }
