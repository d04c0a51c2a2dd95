"""Installing KRL rulesets from URLs: versions, flushing, modules, and what survives a crash."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.errors import BadRequest, EngineError, FetchFailed, RulesetDefinitionError, RulesetMissing
from pico_engine.installing import _cycle_from, check_url, sibling
from pico_engine.messages import Failed, OperationMessage, RulesetCall, WaitAnswer
from pico_engine.store import Batch
from tests.engine.helpers import Steps
from tests.engine.sources import Counted

A = "https://example.org/a.krl"
B = "https://example.org/b.krl"


class World:
    """An engine, and what is at URLs."""

    def __init__(self) -> None:
        self.at: dict[str, str] = {A: "ruleset test.a version 1"}
        self.fetched: list[RulesetCall] = []
        self.compiler = Counted()
        self.steps = Steps()
        self.open()

    def open(self) -> None:
        self.steps.registry.compiler = self.compiler
        self.steps.port.can_call = lambda pico: True

    def settle(self) -> None:
        while True:
            self.steps.settle()
            calls = [one for one in self.steps.effects if isinstance(one, RulesetCall)]
            if not calls:
                return
            for call in calls:
                self.steps.effects.remove(call)
                self.fetched.append(call)
                error = FetchFailed(f"nothing at {call.url}") if call.url not in self.at else None
                answer = WaitAnswer(call.wait, self.at.get(call.url), error)
                self.steps.engine.receive(answer, self.steps.now)

    def do(self, run: Any, did: str = "") -> Any:
        """Run something as an operation of a pico; its value. Raises its error."""
        reply = object()
        message = OperationMessage(did or self.steps.root, "test", run, None, reply)
        self.steps.engine.receive(message, self.steps.now)
        self.settle()
        answer = self.steps.answer(reply)
        assert answer is not None
        if isinstance(answer, Failed):
            raise answer.error
        return answer.value

    def install(self, url: str = A, did: str = "", **config: Any) -> Any:
        return self.do(lambda pico: pico.engine.installing.install(pico, url, config), did)

    def flush(self, url: str = A, did: str = "") -> Any:
        value = self.do(lambda pico: pico.engine.installing.flush(pico, url).to_json(), did)
        self.settle()
        return value

    def said(self, did: str = "", rid: str = "test.a") -> Any:
        return self.steps.query(did or self.steps.root, rid, "said")


@pytest.fixture
def world() -> World:
    return World()


def test_an_installed_ruleset_names_its_url_and_hash_and_runs(world: World) -> None:
    told = world.install(greeting="hello")
    assert told == {"rid": "test.a", "config": {"greeting": "hello"}, "version": "1", "url": A}
    row = world.steps.engine.pico(world.steps.root).installed.rows["test.a"]
    assert row["url"] == A
    assert world.steps.engine.library.text(row["hash"]) == world.at[A]
    assert world.said() == {"version": "1", "heard": 0, "greeting": "hello"}
    assert not world.fetched[0].granted


def test_it_survives_a_crash_and_is_compiled_only_when_needed(world: World) -> None:
    world.install()
    world.steps.event(world.steps.root, "say:word")
    world.steps.crash()
    world.open()
    world.compiler.compiled.clear()
    world.at.clear()  # what was fetched is never needed again
    assert world.compiler.compiled == []
    world.steps.event(world.steps.root, "say:word")
    assert world.said()["heard"] == 1
    assert len(world.compiler.compiled) == 1


def test_what_was_not_written_leaves_nothing_behind(world: World) -> None:
    def fails(pico: Any) -> None:
        pico.engine.installing.install(pico, A, {})
        raise BadRequest("not this time")

    with pytest.raises(BadRequest, match="not this time"):
        world.do(fails)
    assert world.steps.engine.pico(world.steps.root).installed.rows == {}
    assert world.steps.engine.library.users_of(A) == []


def test_what_the_owner_named_once_may_be_fetched_again(world: World) -> None:
    def grant(pico: Any) -> Any:
        pico.turn.granted |= {A}
        return pico.engine.installing.install(pico, A, {})

    world.at[B] = "ruleset test.b"
    world.install(B)
    world.do(grant)
    assert world.flush()["granted"]
    assert "granted" not in world.flush(B)
    assert [(call.url, call.granted) for call in world.fetched] == [
        (B, False), (A, True), (A, True), (B, False)
    ]  # fmt: skip


def test_two_picos_run_two_versions_of_one_ruleset(world: World) -> None:
    child = world.steps.child()["did"]
    world.install()
    world.at[B] = "ruleset test.a version 2"
    world.install(B, child)
    assert world.said()["version"] == "1"
    assert world.said(child)["version"] == "2"


def test_a_flush_reaches_every_pico_that_uses_the_url_and_no_other(world: World) -> None:
    one, two = world.steps.child()["did"], world.steps.child()["did"]
    world.at[B] = "ruleset test.a version 1b"
    world.install()
    world.install(did=one)
    world.install(B, two)
    world.at[A] = "ruleset test.a version 2"
    told = world.flush()
    assert told["rid"] == "test.a"
    assert told["url"] == A
    assert [world.said(did)["version"] for did in ("", one, two)] == ["2", "2", "1b"]


def test_picos_that_were_told_of_a_flush_take_it_after_a_crash(world: World) -> None:
    child = world.steps.child()["did"]
    world.install(did=child)
    world.at[A] = "ruleset test.a version 2"
    world.do(lambda pico: pico.engine.installing.flush(pico, A).hash)
    world.steps.crash()
    world.open()
    world.settle()
    assert world.said(child)["version"] == "2"


def test_a_flush_keeps_what_an_unchanged_rule_has_seen(world: World) -> None:
    world.install()
    world.steps.event(world.steps.root, "say:word")
    world.at[A] = "ruleset test.a version 2"
    world.flush()
    world.steps.event(world.steps.root, "say:word")
    assert world.said() == {"version": "2", "heard": 1, "greeting": ""}


def test_a_flush_forgets_what_a_changed_rule_has_seen(world: World) -> None:
    world.install()
    world.steps.event(world.steps.root, "say:word")
    world.at[A] = "ruleset test.a version 2 on say:other"
    world.flush()
    assert world.steps.engine.pico(world.steps.root).progress.rows == {}


def test_a_source_that_does_not_compile_changes_nothing(world: World) -> None:
    world.install()
    world.at[A] = "rulset test.a"
    with pytest.raises(RulesetDefinitionError, match="expected `ruleset`"):
        world.flush()
    assert world.said()["version"] == "1"


def test_what_cannot_be_fetched_changes_nothing(world: World) -> None:
    with pytest.raises(FetchFailed):
        world.install(B)
    world.install()
    del world.at[A]
    with pytest.raises(FetchFailed):
        world.flush()
    assert world.said()["version"] == "1"


def test_a_url_may_not_come_to_hold_another_ruleset(world: World) -> None:
    world.install()
    world.at[A] = "ruleset test.other"
    with pytest.raises(BadRequest, match=r"holds the ruleset test\.other now"):
        world.flush()


def test_the_same_ruleset_from_another_url_replaces_it(world: World) -> None:
    world.install()
    world.at[B] = "ruleset test.a version 9"
    world.install(B)
    assert world.said()["version"] == "9"
    assert world.steps.engine.library.users_of(A) == []
    assert world.steps.engine.library.users_of(B) == [(world.steps.root, "test.a")]


def test_a_ruleset_of_the_node_keeps_its_id(world: World) -> None:
    own = world.compiler("ruleset test.a version own", "").definition
    world.steps.registry.add(own)
    world.install()
    assert world.said()["version"] == "own"


def test_a_module_has_to_be_installed_first(world: World) -> None:
    world.at[B] = "ruleset test.b uses test.a"
    with pytest.raises(BadRequest, match=r"Dependant module not loaded: test\.a"):
        world.install(B)
    world.install(A)
    world.install(B)
    with pytest.raises(BadRequest, match=r"used by test\.b"):
        world.do(lambda pico: pico.engine.family.uninstall(pico, "test.a"))


def test_a_cycle_of_modules_is_refused(world: World) -> None:
    world.at[B] = "ruleset test.b uses test.a"
    world.install(A)
    world.install(B)
    world.at[A] = "ruleset test.a version 2 uses test.b"
    with pytest.raises(BadRequest, match=r"Dependency Cycle Found: test\.a -> test\.b -> test\.a"):
        world.flush()
    assert world.said()["version"] == "1"


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        ({"a": ()}, []),
        ({"a": ("b",), "b": ("c",), "c": ()}, []),
        ({"a": ("a",)}, ["a", "a"]),
        ({"a": ("b",), "b": ("c",), "c": ("a",)}, ["a", "b", "c", "a"]),
        ({"a": ("b", "x"), "b": ("x",), "x": ("b",)}, []),
    ],
)
def test_cycles(graph: dict[str, tuple[str, ...]], cycle: list[str]) -> None:
    assert _cycle_from("a", graph) == cycle


def test_uninstalling_and_deleting_picos_frees_the_url(world: World) -> None:
    child = world.steps.child()
    world.install()
    world.install(did=child["did"])
    world.do(lambda pico: pico.engine.family.delete_child(pico, child["did"]))
    world.do(lambda pico: pico.engine.family.uninstall(pico, "test.a"))
    world.settle()
    assert world.steps.engine.library.users_of(A) == []


def test_a_lost_source_is_an_error_with_words_and_an_install_mends_it(world: World) -> None:
    world.install()
    (key,) = [key for key in world.steps.rows() if key.startswith(b"k/t/")]
    world.steps.store.write(Batch({key: None}))
    world.steps.crash()
    world.open()
    with pytest.raises(RulesetMissing, match="its source is not in this node's store"):
        world.said()
    world.flush()
    assert world.said()["version"] == "1"


def test_a_query_may_not_install(world: World) -> None:
    world.install()
    with pytest.raises(EngineError, match="tried to change"):
        world.steps.engine.installing.flush(world.steps.engine.pico(world.steps.root), A)


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a/b", "http://", "https:///x", 7, "http://a/ü", "http://a/" + "x" * 2_100, "http://[",
     "http://a/\n"],
)  # fmt: skip
def test_what_is_no_url_of_a_ruleset(url: Any) -> None:
    with pytest.raises(BadRequest):
        check_url(url)


def test_urls() -> None:
    assert check_url("https://example.org/x.krl#part") == "https://example.org/x.krl"
    assert check_url("file:///tmp/x.krl") == "file:///tmp/x.krl"
    assert sibling("https://example.org/rules/x.krl", "org.y") == "https://example.org/rules/org.y.krl"
