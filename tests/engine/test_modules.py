"""Rulesets as modules of one in Python, by their ids."""

from __future__ import annotations

import pytest

from pico_engine import Event, Ruleset, config, ent, provides, query, rule, when
from pico_engine.harness import Harness
from pico_engine.limits import EngineLimits, KrlLimits


class Library(Ruleset, rid="test.library"):
    factor: int = config(default=2)
    used: int = ent(default=0)

    @provides
    def times(self, n: int) -> int:
        return n * self.factor

    @provides
    def note(self) -> None:
        self.used += 1

    @query
    def private(self) -> int:
        return self.used


KRL = """ruleset org.units {
  meta { provides twice, limit, note, bad, regex  configure using factor = 2 }
  global {
    limit = 30
    twice = function(x, more = 0) { x * factor + more }
    note = defaction(text) { noop() return text + "done" }
    bad = function() { null() }
    regex = function() { [re#a#, event:attrs] }
    hidden = function() { 1 }
  }
}"""


class UserOfKrl(Ruleset, rid="test.user-of-krl"):
    @rule(when("use:krl"))
    def use_krl(self) -> None:
        units = self.use("org.units")
        self.directive("it", twice=units.twice(4), more=units.twice(x=4, more=[1][0]), limit=units.limit())
        self.directive("it", configured=self.use("org.units", factor=10).twice(4), note=units.note("said "))
        self.directive("it", regex=units.regex())

    @rule(when("use:python"))
    def use_python(self) -> None:
        self.directive("it", times=self.use("test.library", factor=3).times(2))

    @rule(when("use:bad"))
    def use_bad(self, event: Event) -> None:
        getattr(self.use(event.attr("rid")), event.attr("name"))()


def test_a_module_by_its_id() -> None:
    pico = Harness(UserOfKrl, Library, KRL)
    first, second, third = (one["options"] for one in pico.event("use:krl", a=1).directives)
    assert first == {"twice": 8, "more": 9, "limit": 30}
    assert second == {"configured": 40, "note": "said done"}
    assert third == {"regex": [{}, None]}
    assert pico.event("use:python").options("it") == {"times": 6}
    assert pico.errors == []


@pytest.mark.parametrize(
    ("rid", "name", "told"),
    [
        ("org.units", "hidden", "provides no hidden"),
        ("org.units", "bad", "org.units.krl:7:24: TypeError: null is not a function"),
        ("test.library", "private", "provides no private"),
        ("org.none", "x", "not installed"),
    ],
)
def test_a_module_by_its_id_that_cannot(rid: str, name: str, told: str) -> None:
    pico = Harness(UserOfKrl, Library, KRL)
    pico.event("use:bad", rid=rid, name=name)
    assert told in pico.errors[0]


def test_a_module_in_krl_is_counted_and_has_its_limits() -> None:
    loop = "ruleset org.units { meta { provides go } global { go = function() { 1.range(10000) } } }"
    pico = Harness(UserOfKrl, loop, limits=EngineLimits(krl=KrlLimits(steps_max=1_000)))
    pico.event("use:bad", rid="org.units", name="go")
    assert "steps_max" in pico.errors[0]
