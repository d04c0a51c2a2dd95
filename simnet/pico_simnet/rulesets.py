"""Rulesets of the simulated stories: they keep what the checks need, each number in the order it came."""

from __future__ import annotations

from typing import Any

from pico_engine import Event, Ruleset, config, ent, integer, query, rule, when

ASKS_EVERY = 4
"""Every so many violations the watcher asks back in the middle of its turn."""


class Greenhouse(Ruleset, rid="org.picomesh.simnet.greenhouse"):
    """Takes numbered readings and tells its watchers which were too hot."""

    readings: list[int] = ent(default=[])
    told: dict[str, list[int]] = ent(default={})
    heard: dict[str, list[int]] = ent(default={})
    limit_celsius: int = config(default=30)

    @query
    def story(self) -> dict[str, Any]:
        return {"readings": self.readings, "told": self.told, "heard": self.heard}

    @query
    def count(self) -> int:
        return len(self.readings)

    @rule(when("connection:established"))
    def meet(self, event: Event) -> None:
        self.told[event.attrs["Tx"]] = []
        self.heard[event.attrs["Tx"]] = []

    @rule(when("sensor:reading", n=integer(), celsius=integer()))
    def record(self, _event: Event, n: int, celsius: int) -> None:
        self.readings.append(n)
        if celsius > self.limit_celsius:
            for watcher in self.told:
                self.told[watcher] = [*self.told[watcher], n]
                self.send(watcher, "greenhouse:too_hot", n=n)

    @rule(when("greenhouse:heard", n=integer()))
    def confirm(self, event: Event, n: int) -> None:
        self.heard[event.sender or ""] = [*self.heard[event.sender or ""], n]


class Watcher(Ruleset, rid="org.picomesh.simnet.watcher"):
    """Hears of violations, says so, and now and then asks how many readings there are."""

    greenhouse: str = ent(default="")
    violations: list[int] = ent(default=[])
    answers: list[tuple[int, int]] = ent(default=[])

    @query
    def story(self) -> dict[str, Any]:
        return {"violations": self.violations, "answers": self.answers}

    @rule(when("connection:established"))
    def meet(self, event: Event) -> None:
        self.greenhouse = event.attrs["Tx"]
        self.answers.append((-1, self.query(self.greenhouse, Greenhouse.definition.rid, "count")))

    @rule(when("greenhouse:too_hot", n=integer()))
    def hear(self, event: Event, n: int) -> None:
        self.violations.append(n)
        self.send(event.sender or "", "greenhouse:heard", n=n)

    @rule(when("greenhouse:too_hot", n=integer()))
    def ask(self, event: Event, n: int) -> None:
        if len(self.violations) % ASKS_EVERY == 0:
            self.answers.append((n, self.query(event.sender or "", Greenhouse.definition.rid, "count")))
