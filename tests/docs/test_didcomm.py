"""The reference of DIDComm names every type, frame, algorithm, DID method and header."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from pico_didcomm.did.resolver import METHODS
from pico_didcomm.jwe import CONTENT_ENCRYPTIONS, KEY_ALGORITHMS
from pico_didcomm.jws import ALGORITHMS, SIGNATURES_MAX
from pico_didcomm.message import ID_CHARS_MAX, RECIPIENTS_MAX, TYPE_CHARS_MAX
from pico_didcomm.protocols import connection, events, out_of_band, problem_report, trust_ping
from pico_didcomm.protocols.events import SENDER_ORDER
from pico_didcomm.unpack import ENVELOPE_BYTES_MAX, LAYERS
from pico_node.agent import frames
from pico_node.agent.handshake import EPOCH
from pico_node.agent.inbound import HOPS
from pico_node.agent.limits import AgentLimits
from pico_node.agent.outboxes import VOID_TYPE
from pico_node.peers.foreign import PROTOCOL as FOREIGN
from pico_node.peers.frames import PREAMBLE, Kind
from pico_node.peers.frames import PROTOCOL as FRAMES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "didcomm.md").read_text()


def types() -> set[str]:
    found = {VOID_TYPE, *trust_ping.PING_TYPES, *trust_ping.PING_RESPONSE_TYPES}
    for module in (connection, events, out_of_band, problem_report):
        found |= {value for name, value in vars(module).items() if name.endswith("_TYPE")}
    return found


@pytest.mark.parametrize("type_", sorted(types()))
def test_every_message_type_is_there(type_: str) -> None:
    assert f"`{type_}`" in PAGE


def test_no_other_type_is_promised() -> None:
    told = set(re.findall(r"`((?:https://(?:didcomm\.org|picolabs\.io)/|urn:picomesh:)[^`]+)`", PAGE))
    assert told == types()


def test_every_frame_is_there() -> None:
    letters = [value.decode() for value in vars(frames).values() if type(value) is bytes and len(value) == 1]
    assert len(letters) >= 5
    assert [letter for letter in letters if f"| `{letter}` |" not in PAGE] == []
    contents = re.findall(
        r"^\| ([A-Z]) \| (.+?) \| (.+?) \|$", import_module(frames.__name__).__doc__, re.MULTILINE
    )
    assert {letter for letter, *_ in contents} == set(letters)
    assert str(frames.END_NUMBER) in PAGE
    assert [kind for kind in Kind if f"| `{kind.name}` | {kind.value} |" not in PAGE] == []
    assert f"`{PREAMBLE[:8].decode()}`" in PAGE
    assert f"`{FRAMES}`" in PAGE
    assert f"`{FOREIGN}`" in PAGE


def test_every_algorithm_and_method_is_there() -> None:
    for word in (*CONTENT_ENCRYPTIONS, *KEY_ALGORITHMS, *ALGORITHMS):
        assert f"`{word}`" in PAGE
    carried = {re.match(r"did:(\w+(:\d)?)", prefix)[0] for prefix in METHODS}
    learned = {"did:peer:1", "did:peer:3", "did:peer:4", "did:web"}
    rows = re.findall(r"^\| (`did:[^|]+) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(did:[^`]+)`", " ".join(rows))) == carried | learned


def test_the_table_of_layers_is_that_of_the_code() -> None:
    part = PAGE.split("One inside the other:")[1].split("Refused, always")[0]
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (?:yes|no) \| yes \|$", part, re.MULTILINE)
    legal = {
        (outside, inside)
        for outside, row in LAYERS.items()
        for inside in row
        if outside in ("signed", "anoncrypt", "authcrypt") and inside != "plain"
    }
    assert set(rows) == legal
    assert [inside for inside in LAYERS["hidden authcrypt"] if inside != "plain"] == []


def test_headers_and_numbers_are_those_of_the_code() -> None:
    for header in (SENDER_ORDER, "after", HOPS, "please_ack", "expires_time", "thid", "pthid"):
        assert f"`{header}`" in PAGE
    assert f"1 to {ID_CHARS_MAX} characters" in PAGE
    assert f"at most {TYPE_CHARS_MAX} characters" in PAGE
    assert f"more than {RECIPIENTS_MAX} recipients" in PAGE
    assert f"at most {SIGNATURES_MAX} signatures" in PAGE
    assert ENVELOPE_BYTES_MAX == 1024 * 1024
    assert "an envelope over 1 MiB" in PAGE
    assert f"at most {AgentLimits().reorder_max_messages} messages per connection" in PAGE
    assert f"At most {out_of_band.INVITATION_URL_CHARS_MAX:,} characters" in PAGE
    assert f"`epoch` is always {EPOCH}" in PAGE
