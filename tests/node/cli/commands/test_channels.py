"""`channel new|ls|rm`, and policies from pairs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli.commands import channels
from pico_node.cli.commands.channels import policy
from pico_node.cli.errors import UsageError
from tests.node.cli.commands.helpers import all_are_in, check

CASES = [
    ("channel new --tag a", ("channel_new", {"pico": "", "tags": ["a"]}), {"id": "e9"}, "e9"),
    (
        "channel new kitchen --allow-event a:* --deny-event a:b --allow-query */*",
        (
            "channel_new",
            {
                "pico": "kitchen",
                "tags": [],
                "event_policy": {
                    "allow": [{"domain": "a", "name": "*"}],
                    "deny": [{"domain": "a", "name": "b"}],
                },
                "query_policy": {"allow": [{"rid": "*", "name": "*"}], "deny": []},
            },
        ),
        {"id": "e9"},
        "e9",
    ),
    (
        "channel ls",
        ("channel_list", {"pico": ""}),
        [{"id": "e9", "tags": ["a"], "eventPolicy": {"allow": [{"domain": "x", "name": "*"}], "deny": []}}],
        "x:*",
    ),
    ("channel rm kitchen e9", ("channel_delete", {"pico": "kitchen", "eci": "e9"}), {"eci": "e9"}, "e9"),
]


@pytest.mark.parametrize(("words", "call", "answer", "shown"), CASES)
async def test_what_is_asked_and_what_is_shown(shell, words, call, answer, shown):
    await check(shell, words, call, answer, shown)


def test_every_command_is_in_the_table():
    assert all_are_in(CASES, channels)


EVENTS = (":", ("domain", "name"))


def test_no_pairs_are_no_policy():
    assert policy((), (), *EVENTS) is None
    assert policy((), ("a:b",), *EVENTS) == {"allow": [], "deny": [{"domain": "a", "name": "b"}]}


@pytest.mark.parametrize("pair", ["", "a", "a:", ":b", ":"])
@pytest.mark.parametrize("side", [0, 1])
def test_half_a_pair_is_refused(pair, side):
    with pytest.raises(UsageError, match="not of the form domain:name"):
        policy(*(((pair,), ()) if side == 0 else ((), (pair,))), *EVENTS)


@given(st.text(min_size=1).filter(lambda text: "/" not in text), st.text(min_size=1))
def test_pairs_are_cut_at_the_first_mark(rid, name):
    found = policy((f"{rid}/{name}",), (), "/", ("rid", "name"))
    assert found == {"allow": [{"rid": rid, "name": name}], "deny": []}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"allow": [{"domain": "a", "name": "*"}], "deny": [{"domain": "a", "name": "b"}]}, "a:* !a:b"),
        ({"allow": [], "deny": []}, "none"),
        (None, ""),
    ],
)
async def test_policies_are_shown_as_they_are_written(shell, told, shown):
    shell.node.answers["channel_list"] = [{"id": "e9", "eventPolicy": told}]
    _, out, _ = await shell.run("channel", "ls")
    row = out.splitlines()[1]
    assert row.removeprefix("e9").strip() == shown
