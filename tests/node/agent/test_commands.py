"""The owner's commands: every answer's shape, every error with code, what and hint."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine.errors import EngineError
from pico_node.agent.messages import Command, CommandAnswer
from tests.node.agent.net import Net, Node

COMMANDS = {
    "accept", "channel_delete", "channel_list", "channel_new", "compat_setup", "connection_end",
    "connections", "event", "invite", "logs", "mediation", "mediation_setup", "pico_delete", "pico_list",
    "pico_new", "pico_show", "query", "ruleset_flush", "ruleset_install",
    "ruleset_list", "ruleset_uninstall", "ruleset_urls", "status", "traces",
}  # fmt: skip


@pytest.fixture
def node() -> Node:
    return Net("a", "b").a


def fails(node: Node, name: str, /, **parameters: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        node.command(name, **parameters)
    assert caught.value.what
    assert caught.value.hint
    return caught.value


def test_these_are_all_commands(node: Node) -> None:
    assert set(node.agent.commands.known) == COMMANDS


# -- the node -----------------------------------------------------------------------------------------------


def test_status(node: Node) -> None:
    found = node.command("status")
    assert set(found) == {"peer_id", "addresses", "root", "picos_loaded", "sessions"}
    assert found["root"].startswith("did:key:z6Mk")
    assert found["sessions"] == 1
    assert found["addresses"] == ["/a"]


def test_logs_and_traces(node: Node) -> None:
    node.say(1)
    node.command("event", target="a", name="chat:said", attrs={"n": 1, "name": "x"})
    (trace,) = node.command("traces", pico="a", most=1)
    assert trace["pico"] == node.command("pico_show", pico="a")["did"]
    assert trace["name"] == "chat:said"
    assert len(node.command("traces", most=2)) == 2
    assert node.command("logs", most=0) == []


def test_logs_of_one_pico_and_of_all(node: Node) -> None:
    node.command("event", target="a", name="chat:ask")  # fails: there is nobody to ask
    lines = node.command("logs", pico="a")
    assert lines
    assert all(set(line) >= {"pico", "time", "level", "text"} for line in lines)
    assert node.command("logs") == sorted(node.command("logs"), key=lambda line: line["time"])


# -- picos --------------------------------------------------------------------------------------------------


def test_pico_new_list_show_delete(node: Node) -> None:
    made = node.command("pico_new", name="child", parent="a", rulesets=["test.chatter"])
    assert set(made) == {"did", "name", "parent", "eci"}
    rows = node.command("pico_list")
    assert [(row["name"], row["depth"], row["children"]) for row in rows] == [
        ("root", 0, 1),
        ("a", 1, 1),
        ("child", 2, 0),
    ]
    assert set(rows[0]) == {"did", "name", "parent", "children", "depth"}
    assert len(node.command("pico_list", limit=2)) == 2
    shown = node.command("pico_show", pico=made["did"])
    assert set(shown) == {
        "did", "name", "parent", "children", "rulesets", "channels", "connections", "schedule",
    }  # fmt: skip
    rids = {row["rid"] for row in shown["rulesets"]}
    assert {"io.picolabs.wrangler", "io.picolabs.subscription", "test.chatter"} <= rids
    assert all(row["available"] for row in shown["rulesets"])
    assert node.command("pico_show", pico=made["eci"])["did"] == made["did"]
    above = node.command("pico_show", pico="a")
    assert above["children"] == [{"did": made["did"], "name": "child"}]
    assert above["did"] in node.command("pico_delete", pico="a")["deleted"]
    assert [row["name"] for row in node.command("pico_list")] == ["root"]


def test_two_new_picos_in_one_tick_are_told_apart(node: Node) -> None:
    for name in ("one", "two", "three"):
        node.agent.receive(Command("pico_new", {"name": name}, reply=name), node.clock.now)
    node.run()
    answers = {name: node.answer(name) for name in ("one", "two", "three")}
    assert {name: answer["name"] for name, answer in answers.items()} == {
        "one": "one", "two": "two", "three": "three",
    }  # fmt: skip
    assert len({answer["did"] for answer in answers.values()}) == 3


def test_errors_of_picos(node: Node) -> None:
    assert fails(node, "pico_show", pico="nobody").code == "unknown-pico"
    assert fails(node, "pico_show", pico="did:key:z6MkNobody").code == "unknown-pico"
    assert fails(node, "pico_show", pico="did:key:a/b").code == "unknown-pico"
    assert fails(node, "pico_new", name="x", parent="nobody").code == "unknown-pico"
    assert fails(node, "pico_new", name="x", rulesets=["no.such"]).code == "unknown-ruleset"
    assert fails(node, "pico_delete", pico="").code == "bad-request"
    node.command("pico_new", name="a")
    assert fails(node, "pico_show", pico="a").code == "unknown-pico", "two of that name"
    assert [row["name"] for row in node.command("pico_list")] == ["root", "a", "a"]


def test_deleting_twice_in_one_tick_deletes_once(node: Node) -> None:
    for reply in ("first", "second"):
        node.agent.receive(Command("pico_delete", {"pico": "a"}, reply=reply), node.clock.now)
    node.run()
    assert len(node.answer("first")["deleted"]) == 1
    with pytest.raises(EngineError):
        node.answer("second")
    assert [row["name"] for row in node.command("pico_list")] == ["root"]


# -- rulesets and channels ----------------------------------------------------------------------------------


def test_rulesets(node: Node) -> None:
    known = node.command("ruleset_list")
    assert {row["rid"] for row in known} >= {"test.chatter", "io.picolabs.wrangler"}
    node.command("pico_new", name="new")
    installed = node.command("ruleset_install", pico="new", rid="test.chatter")
    assert installed["rid"] == "test.chatter"
    assert "test.chatter" in {row["rid"] for row in node.command("ruleset_list", pico="new")}
    assert node.command("ruleset_uninstall", pico="new", rid="test.chatter")["rid"] == "test.chatter"
    assert "test.chatter" not in {row["rid"] for row in node.command("ruleset_list", pico="new")}


def test_errors_of_rulesets(node: Node) -> None:
    assert fails(node, "ruleset_install", pico="a", rid="no.such").code == "unknown-ruleset"
    assert fails(node, "ruleset_install", pico="nobody", rid="test.chatter").code == "unknown-pico"
    assert fails(node, "ruleset_uninstall", pico="a", rid="no.such").status in (400, 404)
    assert fails(node, "ruleset_list", pico="nobody").code == "unknown-pico"


def test_channels(node: Node) -> None:
    made = node.command(
        "channel_new",
        pico="a",
        tags=["one", "two"],
        event_policy={"allow": [{"domain": "chat", "name": "*"}], "deny": []},
    )
    assert made["id"].startswith("did:key:")
    assert made["tags"] == ["one", "two"]
    assert made["id"] in [row["id"] for row in node.command("channel_list", pico="a")]
    assert node.command("channel_delete", pico="a", eci=made["id"]) == {"deleted": made["id"]}
    assert made["id"] not in [row["id"] for row in node.command("channel_list", pico="a")]


def test_errors_of_channels(node: Node) -> None:
    assert fails(node, "channel_delete", pico="a", eci="did:key:z6MkNone").code == "unknown-channel"
    assert fails(node, "channel_new", pico="a", tags=["system"]).code == "bad-request"
    assert fails(node, "channel_new", pico="a", event_policy={"allow": 7}).code == "bad-request"
    assert fails(node, "channel_new", pico="a", query_policy=[1]).code == "bad-request"
    assert fails(node, "channel_new", pico="a", tags=["x" * 10_000]).status in (400, 413)


# -- events and queries -------------------------------------------------------------------------------------


def test_event_and_query(node: Node) -> None:
    answer = node.command("event", target="a", name="chat:said", attrs={"n": 5})
    assert set(answer) == {"eid", "directives"}
    channel = node.command("channel_new", pico="a", tags=["t"])
    for target in ("a", channel["id"], node.command("pico_show", pico="a")["did"]):
        found = node.command("query", target=target, rid="test.chatter", name="all")
        assert found["result"]["heard"] == [5]


def test_errors_of_events_and_queries(node: Node) -> None:
    assert fails(node, "event", target="a", name="no colon").code == "bad-request"
    assert fails(node, "event", target="nobody", name="a:b").code == "unknown-pico"
    assert fails(node, "query", target="a", rid="no.such", name="all").code == "unknown-ruleset"
    assert fails(node, "query", target="a", rid="test.chatter", name="no").code == "unknown-query"
    assert fails(node, "query", target="nobody", rid="test.chatter", name="all").code == "unknown-pico"
    assert fails(node, "event", target="a", name="a:b", attrs={"x": "y" * 600_000}).code == "limit-exceeded"


# -- connections --------------------------------------------------------------------------------------------


def test_invite_accept_connections_end() -> None:
    net = Net()
    invitation = net.a.command("invite", pico="a", label="a label")
    assert set(invitation) == {"id", "url", "pico", "eci", "expires"}
    assert invitation["expires"] == net.clock.now + 604_800_000
    accepted = net.b.command("accept", pico="b", url=invitation["url"], name="a name")
    assert {"id", "pico", "Rx", "Tx", "state"} <= set(accepted)
    net.settle()
    (row,) = net.b.command("connections")
    assert row["name"] == "a name"
    assert row["pico_name"] == "b"
    assert net.b.command("connection_end", pico="b", id=row["Rx"]) == {"ended": row["id"]}
    assert fails(net.b, "connection_end", pico="b", id=row["id"]).code == "bad-request"
    assert fails(net.b, "connections", pico="nobody").code == "unknown-pico"
    assert fails(net.b, "invite", pico="nobody").code == "unknown-pico"


def test_a_pico_does_not_accept_its_own_invitation(node: Node) -> None:
    invitation = node.command("invite", pico="a")
    assert fails(node, "accept", pico="a", url=invitation["url"]).code == "bad-request"
    assert [row["state"] for row in node.command("connections")] == ["invited"]


# -- whatever comes in --------------------------------------------------------------------------------------


def test_unknown_commands_and_parameters(node: Node) -> None:
    assert "no command 'fly'" in fails(node, "fly").what
    error = fails(node, "pico_show", colour="red")
    assert "no parameter 'colour'" in error.what
    assert error.hint == "it takes pico"
    assert "needs the parameter 'url'" in fails(node, "accept").what
    assert "must be text" in fails(node, "pico_show", pico=7).what
    assert "a whole number from 0" in fails(node, "pico_list", limit=-1).what
    assert node.counters["refused_bad-request"] == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
LIKELY = st.sampled_from(
    ["", "a", "root", "test.chatter", "all", "chat:say", "did:key:z6Mk", "\ud800", "a/b"]
)
PARAMETERS = sorted({"pico", "name", "rid", "eci", "target", "url", "id", "tags", "rulesets", "most"})


@pytest.fixture(scope="module")
def shared() -> Node:
    return Net("a", "b").a


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(COMMANDS - {"pico_delete"})),
    parameters=st.dictionaries(
        st.sampled_from([*PARAMETERS, "limit", "attrs", "args", "config", "parent", "event_policy", "label"]),
        JSON | LIKELY,
        max_size=4,
    ),
)
def test_no_parameters_break_the_node(shared: Node, name: str, parameters: dict[str, Any]) -> None:
    """Every command is answered, by JSON or by an error that says something."""
    shared.agent.receive(Command(name, parameters, reply="it"), shared.clock.now)
    shared.run()
    answer = shared.answers.pop("it")
    if isinstance(answer, CommandAnswer):
        json.dumps(answer.value)
    else:
        assert answer.error.what
        assert answer.error.hint
