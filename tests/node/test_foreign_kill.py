"""Another agent posts to a node that is killed with SIGKILL: what was answered is there, and there once."""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pico_didcomm import Message, Resolver, Unpacked, make_channel_identity, pack_authcrypt, unpack
from pico_didcomm.protocols.empty import EMPTY_TYPE
from pico_didcomm.protocols.events import Event, make_event
from pico_didcomm.protocols.out_of_band import parse_invitation_url
from pico_didcomm.protocols.return_route import ALL
from tests.node.processes import RealNode

pytestmark = pytest.mark.processes

ENCRYPTED = "application/didcomm-encrypted+json"
RULESET = '''
from pico_engine import Ruleset, ent, query, rule, when


class Notes(Ruleset, rid="test.notes"):
    """Counts what it hears."""

    heard: list = ent(default=[])

    @query
    def all(self):
        return self.heard

    @rule(when("note:said"))
    def hear(self, event):
        self.heard.append(event.attrs["n"])
'''


class Stranger:
    """An agent without an endpoint: its answers come back in the answers to its requests."""

    def __init__(self, invitation: str) -> None:
        found = parse_invitation_url(invitation, 0)
        self.theirs, self.thread = found.sender, found.thread
        self.me = make_channel_identity(secrets.token_bytes)
        self.resolver = Resolver()
        self.resolver.learn(self.theirs)

    def event(self, n: int) -> bytes:
        """An event that wants to be acknowledged; the first one answers the invitation."""
        event = Event("note", "said", {"n": n})
        message = make_event(f"event-{n}", self.me.long_did, self.theirs, event)
        message = replace(message, please_ack=("",), pthid=self.thread, extra=ALL.headers())
        return pack_authcrypt(message, self.me, self.resolver.resolve(self.theirs), secrets.token_bytes)

    def post(self, node: RealNode, envelope: bytes) -> Message:
        request = urllib.request.Request(node.url + "/didcomm", envelope, {"Content-Type": ENCRYPTED})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200
            unpacked: Unpacked = unpack(answer.read(), self.me, self.resolver, 0)
        assert unpacked.authenticated
        return unpacked.message


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RealNode]:
    node = RealNode(tmp_path / "home")
    node.add_ruleset("notes.py", RULESET)
    try:
        yield node.up()
    finally:
        node.close()


def test_an_acknowledged_event_survives_and_is_not_applied_again(node: RealNode) -> None:
    node.cli("pico", "new", "p", "--ruleset", "test.notes")
    stranger = Stranger(node.cli("invite", "p", "--audience", "didcomm")["url"])
    envelopes = [stranger.event(n) for n in range(3)]
    for n, envelope in enumerate(envelopes):
        told = stranger.post(node, envelope)
        assert (told.type, told.ack) == (EMPTY_TYPE, (f"event-{n}",))
        node.kill()
        node.up()
        assert node.ask("p", "test.notes", "all") == list(range(n + 1))
        for again in envelopes[: n + 1]:
            assert stranger.post(node, again).type == EMPTY_TYPE
        assert node.ask("p", "test.notes", "all") == list(range(n + 1))
