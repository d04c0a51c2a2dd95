"""A loaded pico: what it reads, which rules it knows for an event, when it lets go."""

from __future__ import annotations

import pytest

from pico_engine import Ruleset, ent, query, rule, when
from pico_engine.errors import RulesetMissing, StoreCorrupt
from pico_engine.limits import EngineLimits
from pico_engine.pico import Pico
from pico_engine.registry import Registry
from pico_engine.store import Batch
from tests.engine.helpers import Steps


class Listening(Ruleset, rid="test.listening"):
    many: list[int] = ent(default=[])

    @rule(when("a:b"))
    def one(self) -> None:
        self.directive("one")

    @rule(when("a:*"))
    def of_domain(self) -> None:
        self.directive("domain")

    @rule(when("*:b"))
    def of_type(self) -> None:
        self.directive("type")

    @rule(when("*:*"))
    def of_all(self) -> None:
        self.directive("all")

    @rule(when("fill:up"))
    def fill(self) -> None:
        self.many = list(range(300))

    @query
    def size(self) -> int:
        return len(self.many)


@pytest.fixture
def steps() -> Steps:
    return Steps(Listening)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("a:b", ["one", "domain", "type", "all"]),
        ("a:c", ["domain", "all"]),
        ("c:b", ["type", "all"]),
        ("c:d", ["all"]),
    ],
)
def test_rules_are_found_by_what_they_listen_to(steps: Steps, name: str, rules: list[str]) -> None:
    for _ in range(2):
        assert [one["name"] for one in steps.event(steps.root, name)] == rules


def test_strangers_cannot_fill_the_memory_with_invented_events(steps: Steps) -> None:
    for number in range(3_000):
        steps.send(steps.root, f"a:x{number}")
    steps.settle()
    assert len(steps.engine.pico(steps.root)._dispatch) <= 1_000


def test_the_store_knows_no_such_pico(steps: Steps) -> None:
    assert not Pico(steps.engine, "did:example:none").load()


@pytest.mark.parametrize(
    ("key", "value"), [("v/x/y", b"{"), ("c/did", b"{}"), ("m/x", b"[]"), ("?/x", b"1"), ("i/\xff", b"1")]
)
def test_a_damaged_row_says_which(steps: Steps, key: str, value: bytes) -> None:
    row = b"p/" + steps.root.encode() + b"/" + key.encode("latin-1")
    steps.store.write(Batch({row: value}))
    steps.crash()
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        steps.engine.pico(steps.root)


def test_a_missing_ruleset_is_named(steps: Steps) -> None:
    steps.registry = Registry()
    steps.crash()
    pico = steps.engine.pico(steps.root)
    assert pico.definitions() == ()
    with pytest.raises(RulesetMissing, match=r"test\.listening"):
        pico.check_rulesets()


def test_rows_read_on_demand_are_let_go_when_they_are_many() -> None:
    steps = Steps(Listening, limits=EngineLimits(cached_rows_max=100))
    steps.event(steps.root, "fill:up")
    assert len(steps.engine.pico(steps.root).elements.rows) <= 100
    assert steps.query(steps.root, "test.listening", "size") == 300
