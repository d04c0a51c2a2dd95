"""One pico that computes long delays the others by a slice, whatever waits for it; and loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine import slices
from pico_engine.errors import UnknownPico
from pico_engine.krl import compile_ruleset
from pico_engine.krl.meter import Meter
from pico_engine.limits import EngineLimits, KrlLimits
from pico_engine.messages import EventAnswer, Failed, QueryAnswer
from tests.engine.helpers import Steps

SLICE_STEPS = KrlLimits().slice_steps

HOG = """
ruleset hog {
  meta { shares done, long }
  global {
    done = function() { ent:done.defaultsTo(0) }
    long = function(n) { 1.range(n.as("Number")).map(function(x){ x }).length() }
  }
  rule burn {
    select when hog burn
    foreach 1.range(999) setting(x) foreach 1.range(999) setting(y)
    always { ent:last := x }
  }
  rule count { select when hog burn always { ent:done := ent:done.defaultsTo(0) + 1 } }
  rule heavy {
    select when hog heavy
    pre { made = long(event:attrs{"n"}) }
    send_directive("made", {"length": made})
    always { ent:done := ent:done.defaultsTo(0) + 1 }
  }
}
"""
LIGHT = """
ruleset light {
  meta { shares value, asked }
  global {
    value = function() { ent:n.defaultsTo(0) }
    asked = function(eci, n) { ctx:query(eci, "hog", "long", {"n": n}) }
  }
  rule inc { select when light inc always { ent:n := ent:n.defaultsTo(0) + 1 } }
}
"""
BETWEEN_MAX_STEPS = 3 * SLICE_STEPS
"""What others may compute before an event that comes last is answered: the slice at hand, and those of a turn
that is not yet known to be long. A turn without slices takes 200."""


class Host(Steps):
    """An engine with picos that run the rulesets above, and all the steps that they were given counted."""

    def __init__(self, **krl: int) -> None:
        super().__init__(limits=EngineLimits(krl=KrlLimits(**krl)))
        for text in (HOG, LIGHT):
            self.registry.add(compile_ruleset(text).definition)

    def pico(self, rid: str) -> str:
        did: str = self.child(rid)["did"]
        return did

    def tick(self) -> None:
        self.turns()
        if self.engine.has_changes:
            self.write()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps taken so far, one item per slice."""
    taken: list[int] = []
    give = Meter._give

    def counting(self: Meter, steps: int) -> None:
        taken.append(self._slice - max(self.steps, 0))
        give(self, steps)

    monkeypatch.setattr(Meter, "_give", counting)
    return taken


def test_a_hog_with_a_full_queue_delays_others_by_a_slice(given: list[int]) -> None:
    host = Host(steps_max=50_000)
    hog, light = host.pico("hog"), host.pico("light")
    burns = [host.send(hog, "hog:burn") for _ in range(40)]
    for number in range(40):
        before, ticks = sum(given), 0
        reply = host.send(light, "light:inc")
        while host.answer(reply) is None:
            host.tick()
            ticks += 1
        assert ticks == 1
        assert sum(given) - before <= BETWEEN_MAX_STEPS, f"event {number} waited"
    assert host.engine.pico(hog).turn is not None or host.engine.pico(hog).inbox, "the hog is still at work"
    host.settle()
    assert all(isinstance(host.answer(reply), EventAnswer) for reply in burns), "nothing was refused"
    assert host.query(hog, "hog", "done") == 0, "its second rule had no steps left either"
    assert host.query(light, "light", "value") == 40


def test_many_hogs_delay_others_by_no_more_than_one(given: list[int]) -> None:
    host = Host(steps_max=100_000)
    hogs, light = [host.pico("hog") for _ in range(12)], host.pico("light")
    for _ in range(3):
        for hog in hogs:
            host.send(hog, "hog:burn")
    for _ in range(10):  # now it is known who computes long
        host.tick()
    for _ in range(30):
        before = sum(given)
        reply = host.send(light, "light:inc")
        host.tick()
        assert isinstance(host.answer(reply), EventAnswer)
        assert sum(given) - before <= BETWEEN_MAX_STEPS
    assert len(host.engine.slices.paused) <= len(hogs)


def test_the_line_goes_on_while_others_are_always_ready() -> None:
    host = Host()
    hog, light = host.pico("hog"), host.pico("light")
    reply = host.send(hog, "hog:heavy", {"n": 50_000})
    for _ in range(40):
        host.send(light, "light:inc")
        host.tick()
    assert host.answer(reply).directives[0]["options"] == {"length": 50_000}


def test_a_turn_that_was_put_aside_is_a_turn_like_any_other() -> None:
    host = Host()
    hog = host.pico("hog")
    replies = [host.send(hog, "hog:heavy", {"n": 30_000}) for _ in range(3)]
    host.tick()
    assert host.engine.has_unfinished_turns
    assert not [key for key in host.rows() if key.endswith(b"hog/done")], "no half of a turn is written"
    host.settle()
    assert [host.answer(reply).directives[0]["options"]["length"] for reply in replies] == [30_000] * 3
    assert host.query(hog, "hog", "done") == 3
    assert host.engine.counters["turns_paused"] >= 9
    assert not host.engine.slices.has_work
    assert not host.engine.has_unfinished_turns


def test_light_turns_are_never_put_aside() -> None:
    host = Host()
    light = host.pico("light")
    for _ in range(600):
        host.send(light, "light:inc")
    host.settle()
    assert host.query(light, "light", "value") == 600
    assert "turns_paused" not in host.engine.counters


def test_a_slow_pico_that_mends_its_ways_is_an_ordinary_one_again() -> None:
    host = Host()
    hog = host.pico("hog")
    host.event(hog, "hog:heavy", {"n": 30_000})
    assert host.engine.pico(hog).is_slow
    host.event(hog, "hog:heavy", {"n": 3})
    assert not host.engine.pico(hog).is_slow


def test_who_asks_is_put_aside_with_what_it_asked() -> None:
    host = Host()
    hog, light, other = host.pico("hog"), host.pico("light"), host.pico("light")
    eci = host.channel(hog)
    reply = host.ask(light, "light", "asked", {"eci": eci, "n": 40_000})
    host.tick()
    assert host.engine.pico(light).is_slow, "the work is done for who asked"
    assert not host.engine.pico(hog).is_slow
    assert host.answer(reply) is None
    event = host.send(other, "light:inc")
    host.tick()
    assert isinstance(host.answer(event), EventAnswer)
    assert host.answer(reply) is None, "the other one did not wait for it"
    host.settle()
    answer = host.answer(reply)
    assert isinstance(answer, QueryAnswer)
    assert answer.value == 40_000


@pytest.mark.parametrize("victim", ["asker", "asked"])
def test_a_pico_may_go_while_its_turn_is_put_aside(victim: str) -> None:
    host = Host()
    hog, light = host.pico("hog"), host.pico("light")
    reply = host.ask(light, "light", "asked", {"eci": host.channel(hog), "n": 40_000})
    host.tick()
    gone = light if victim == "asker" else hog
    host.operate(host.root, lambda pico: pico.engine.delete_pico(gone))
    host.settle()
    answer = host.answer(reply)
    assert isinstance(answer, Failed)
    assert "deleted" in answer.error.what
    assert not host.engine.slices.has_work
    with pytest.raises(UnknownPico):
        host.engine.pico(gone)


def test_what_waits_for_a_slow_pico_goes_with_it() -> None:
    host = Host()
    hog = host.pico("hog")
    replies: list[Any] = [host.send(hog, "hog:heavy", {"n": 40_000}) for _ in range(4)]
    host.tick()
    host.operate(host.root, lambda pico: pico.engine.delete_pico(hog))
    host.settle()
    assert all(isinstance(host.answer(reply), Failed) for reply in replies)
    assert not host.engine.slices.has_work


@pytest.mark.parametrize("limit", ["PAUSED_TURNS_MAX", "PAUSED_MAX_BYTES"])
def test_without_room_a_turn_goes_on_to_its_end(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, limit, -1)
    host = Host()
    hog = host.pico("hog")
    reply = host.send(hog, "hog:heavy", {"n": 40_000})
    host.tick()
    assert isinstance(host.answer(reply), EventAnswer)
    assert "turns_paused" not in host.engine.counters


def test_the_line_begins_no_more_turns_than_memory_allows() -> None:
    host = Host()
    hogs = [host.pico("hog") for _ in range(10)]
    for hog in hogs:
        host.event(hog, "hog:heavy", {"n": 20_000})
    for hog in hogs:
        host.send(hog, "hog:heavy", {"n": 90_000})
    most = 0
    while host.engine.next_timer() == 0:
        host.tick()
        most = max(most, len(host.engine.slices.paused))
    assert most == slices.SLOW_TURNS_MAX
    assert all(host.query(hog, "hog", "done") == 2 for hog in hogs)


def test_a_crash_while_a_turn_is_put_aside_keeps_what_was_accepted() -> None:
    host = Host()
    hog = host.pico("hog")
    host.write()
    host.send(hog, "hog:heavy", {"n": 40_000}, durable=True)
    host.tick()
    assert host.engine.slices.paused
    host.crash()
    host.settle()
    assert host.query(hog, "hog", "done") == 1


def test_a_turn_that_changes_too_much_fails_its_rule_and_goes_on() -> None:
    host = Host(changes_max=1_000)
    hog, light = host.pico("hog"), host.pico("light")
    reply = host.send(hog, "hog:burn")
    host.settle()
    assert isinstance(host.answer(reply), EventAnswer)
    assert host.query(hog, "hog", "done") == 1, "the rule behind it ran"
    assert not [key for key in host.rows() if key.endswith(b"hog/last")], "all of it was undone"
    said = [line for line in host.engine.pico(hog).logs.rows.values() if "changes_max" in line["text"]]
    assert len(said) == 1
    host.send(light, "light:inc")
    host.settle()
    assert host.query(light, "light", "value") == 1
