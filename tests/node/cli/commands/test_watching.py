"""`logs` and `trace`: what happened, and why."""

from __future__ import annotations

import pytest

from pico_node.cli.commands import watching
from tests.node.cli.commands.helpers import DID, all_are_in, check

TURN = {
    "eid": "e1", "pico": DID, "time": 1_700_000_000_123, "kind": "event", "name": "a:b", "door": "http",
    "sender": None, "outcome": "done", "changed": ["ent.x"], "sent": [{"eci": "e2", "event": "c:d"}],
    "rules": [{"rid": "r", "rule": "s", "event": "a:b", "outcome": "fired", "detail": "why"}],
}  # fmt: skip

CASES = [
    (
        "logs kitchen --most 5",
        ("logs", {"pico": "kitchen", "most": 5}),
        [
            {
                "time": 1_700_000_000_123,
                "level": "info",
                "pico": DID,
                "rid": "r",
                "text": "hi",
                "data": {"a": 1},
            }
        ],
        "hi {",
    ),
    ("trace", ("traces", {"most": 20}), [TURN], "rule r/s on a:b: fired (why)"),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, watching)


async def test_a_strangers_text_does_not_drive_the_terminal(shell):
    shell.node.answers["logs"] = [
        {"time": 0, "level": "info", "pico": DID, "text": "\x1b]0;owned\x07\x9b31m"}
    ]
    _, out, _ = await shell.run("logs")
    assert "owned" in out
    assert not {"\x1b", "\x07", "\x9b"} & set(out)


async def test_a_turn_as_people_see_it(shell):
    shell.node.answers["traces"] = [TURN, {**TURN, "rules": [], "changed": [], "sent": []}]
    _, out, _ = await shell.run("trace")
    first, second = out.rstrip("\n").split("\n\n")
    lines = first.split("\n")
    assert lines[0].endswith("event a:b -> done  [e1]")
    assert lines[1].endswith("by http from -")
    assert lines[2:] == ["  rule r/s on a:b: fired (why)", "  changed ent.x", "  sent c:d to e2"]
    assert len(second.split("\n")) == 2


@pytest.mark.parametrize(("command", "told"), [("logs", "no log entries"), ("trace", "no turns")])
async def test_when_there_is_nothing(shell, command, told):
    shell.node.answers |= {"logs": [], "traces": []}
    assert (await shell.run(command))[1] == told + "\n"


@pytest.mark.parametrize("data", [None, {}, []])
async def test_no_data_is_not_shown(shell, data):
    shell.node.answers["logs"] = [{"time": 0, "level": "warn", "pico": "p", "text": "hi", "data": data}]
    assert (await shell.run("logs"))[1].endswith(" warn  p -: hi\n")
