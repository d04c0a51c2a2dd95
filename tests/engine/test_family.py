"""Picos making and changing picos, channels and what is installed."""

from __future__ import annotations

import pytest

from pico_engine import Ruleset, config, ent, rule, when
from pico_engine.errors import (
    BadRequest,
    LimitExceeded,
    QueryMayNotWrite,
    RulesetFailed,
    UnknownChannel,
    UnknownPico,
    UnknownRuleset,
)
from pico_engine.family import NAME_MAX_CHARS
from pico_engine.limits import EngineLimits
from tests.engine.helpers import Steps


class Plain(Ruleset, rid="test.plain", version="1.1.0"):
    """Does nothing."""

    limit: int = config(default=1)
    kept: int = ent(default=0)

    @rule(when("a:b"))
    def go(self) -> None:
        self.directive("limit", limit=self.limit)


@pytest.fixture
def steps() -> Steps:
    return Steps(Plain)


def test_children_and_their_channels(steps: Steps) -> None:
    child = steps.child("test.plain", name="kitchen")
    assert child.keys() == {"did", "eci", "name", "parent_eci"}
    parent, pico = steps.engine.pico(steps.root), steps.engine.pico(child["did"])
    assert (pico.parent, pico.name, parent.parent) == (steps.root, "kitchen", None)
    down, up = pico.channels.get(child["eci"]), parent.channels.get(child["parent_eci"])
    assert (down.tags, down.family, down.doors) == (("system", "child"), steps.root, ("family",))
    assert (up.tags, up.family, up.doors) == (("system", "parent"), child["did"], ("family",))
    own = pico.channels.get(pico.info.get("self_eci"))
    assert (own.tags, own.family) == (("system", "self"), child["did"])
    assert steps.engine.index.get(child["eci"]) == child["did"]


def test_names(steps: Steps) -> None:
    child = steps.child(name="old")
    steps.operate(child["did"], lambda pico: pico.engine.family.rename(pico, "new"))
    assert steps.engine.pico(steps.root).children.get(child["did"])["name"] == "new"
    steps.crash()
    assert steps.engine.pico(child["did"]).name == "new"
    for bad in ("x" * (NAME_MAX_CHARS + 1), 5, None, "\ud800"):
        with pytest.raises(BadRequest):
            steps.operate(child["did"], lambda pico, bad=bad: pico.engine.family.rename(pico, bad))
        with pytest.raises(BadRequest):
            steps.child(name=bad)
    assert len(steps.engine.pico(steps.root).children.rows) == 1


def test_only_ones_own_children_can_be_deleted(steps: Steps) -> None:
    child = steps.child()
    other = steps.child()
    for target in (other["did"], steps.root, child["did"], "nobody"):
        with pytest.raises(UnknownPico):
            steps.operate(
                child["did"], lambda pico, target=target: pico.engine.family.delete_child(pico, target)
            )
    gone = steps.operate(steps.root, lambda pico: pico.engine.family.delete_child(pico, child["eci"]))
    assert gone == [child["did"]]
    assert child["parent_eci"] not in steps.engine.pico(steps.root).channels.rows
    assert steps.engine.index.get(child["parent_eci"]) is None
    assert steps.engine.index.get(child["eci"]) is None


def test_channels_are_made_changed_and_deleted(steps: Steps) -> None:
    eci = steps.channel(tags=("a",))
    family = steps.engine.family
    changed = steps.operate(
        steps.root,
        lambda pico: family.change_channel(pico, eci, {"tags": ("b",), "peer": "did:x"}).overview(),
    )
    assert (changed["tags"], changed["peer"]) == (["b"], "did:x")
    own = steps.engine.pico(steps.root).info.get("self_eci")
    for target, error in ((own, BadRequest), ("did:none", UnknownChannel)):
        with pytest.raises(error):
            steps.operate(steps.root, lambda pico, t=target: family.change_channel(pico, t, {}))
        with pytest.raises(error):
            steps.operate(steps.root, lambda pico, t=target: family.delete_channel(pico, t))
    for doors in ((), ("family",), ("window",), ("http", "family")):
        with pytest.raises(BadRequest):
            steps.channel(doors=doors)
        with pytest.raises(BadRequest):
            steps.operate(
                steps.root, lambda pico, d=doors: family.change_channel(pico, eci, {"doors": d}).eci
            )
    with pytest.raises(BadRequest):
        steps.channel(peer="\ud800")
    with pytest.raises(RulesetFailed, match="no such"):
        steps.operate(steps.root, lambda pico: family.change_channel(pico, eci, {"no such": 1}).tags)
    steps.operate(steps.root, lambda pico: family.delete_channel(pico, eci))
    assert eci not in steps.engine.pico(steps.root).channels.rows
    steps.crash()
    assert steps.engine.index.get(eci) is None


def test_channels_keep_the_order_in_which_they_were_made(steps: Steps) -> None:
    made = [steps.channel(tags=(f"number-{number}",)) for number in range(12)]
    steps.operate(steps.root, lambda pico: pico.engine.family.delete_channel(pico, made[3]))
    steps.crash()  # the store has them by their ECI
    made = [*made[:3], *made[4:], steps.channel(tags=("last",))]
    assert [one.eci for one in steps.engine.pico(steps.root).all_channels()][1:] == made
    steps.crash()
    assert [one.eci for one in steps.engine.pico(steps.root).all_channels()][1:] == made


def test_installing(steps: Steps) -> None:
    family = steps.engine.family
    child = steps.child(name="c")["did"]
    with pytest.raises(UnknownRuleset):
        steps.operate(child, lambda pico: family.install(pico, "no.such", {}))
    with pytest.raises(BadRequest):
        steps.operate(child, lambda pico: family.install(pico, "test.plain", {"limit": object()}))
    steps.operate(child, lambda pico: family.install(pico, "test.plain", {"limit": 5}))
    assert steps.event(child, "a:b")[0]["options"] == {"limit": 5}
    steps.operate(child, lambda pico: family.install(pico, "test.plain", {"limit": 6}))
    assert steps.event(child, "a:b")[0]["options"] == {"limit": 6}
    [row] = family.installed(steps.engine.pico(child))
    assert (row["rid"], row["config"], row["version"]) == ("test.plain", {"limit": 6}, "1.1.0")
    assert row["meta"]["name"] == "Plain"
    steps.operate(child, lambda pico: family.uninstall(pico, "test.plain"))
    with pytest.raises(UnknownRuleset):
        steps.operate(child, lambda pico: family.uninstall(pico, "test.plain"))
    made = steps.operate(
        steps.root, lambda pico: family.new_child(pico, "d", ["test.plain", ("test.plain", {"limit": 7})])
    )
    assert steps.event(made["did"], "a:b")[0]["options"] == {"limit": 7}


def test_limits() -> None:
    steps = Steps(Plain, limits=EngineLimits(children_max=2, channels_max=3, rulesets_max=1))
    for _ in range(2):
        steps.child()
    with pytest.raises(LimitExceeded, match="children"):
        steps.child()
    for _ in range(3):
        steps.channel()
    with pytest.raises(LimitExceeded, match="channels"):
        steps.channel()

    class Second(Plain, rid="test.second"):
        pass

    steps.registry.add(Second)
    with pytest.raises(LimitExceeded, match="rulesets"):
        steps.operate(steps.root, lambda pico: pico.engine.family.install(pico, "test.second", {}))


def test_nothing_changes_outside_of_a_turn(steps: Steps) -> None:
    pico = steps.engine.pico(steps.root)
    child = steps.child()["did"]
    family = steps.engine.family
    for change in (
        lambda: family.new_child(pico, "c", ()),
        lambda: family.delete_child(pico, child),
        lambda: family.rename(pico, "n"),
        lambda: family.new_channel(pico, (), None, None, ("http",)),
        lambda: family.uninstall(pico, "test.plain"),
    ):
        with pytest.raises(QueryMayNotWrite):
            change()
    assert not steps.engine.ledger.journal
