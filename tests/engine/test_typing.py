"""Rulesets and their tests pass a strict type checker, as written in the documentation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = '''
from typing import TypedDict

from pico_engine import Event, Ruleset, config, ent, number, provides, query, rule, text, when
from pico_engine.harness import Harness


class Reading(TypedDict):
    at: int
    celsius: float


class Units(Ruleset, rid="org.example.units"):
    @provides
    def fahrenheit(self, celsius: float) -> float:
        return celsius * 9 / 5 + 32


class Thermometer(Ruleset, rid="org.example.thermometer", version="1.0.0"):
    """Keeps the newest readings of one sensor and says when it gets hot."""

    readings: list[Reading] = ent(default=[])
    seen: dict[str, int] = ent(default={})
    limit_celsius: float = config(default=30.0)

    @query
    def temperatures(self) -> list[Reading]:
        return self.readings

    @query
    @provides
    def newest(self, room: str = "") -> float | None:
        return self.readings[-1]["celsius"] if self.readings else None

    @rule(when("sensor:reading", celsius=number(), room=text()))
    def record(self, event: Event, celsius: float, room: str) -> None:
        self.readings.append({"at": event.time_ms, "celsius": celsius})
        self.seen[room] = self.seen.get(room, 0) + 1
        if celsius > self.limit_celsius:
            self.raise_event("sensor:too_hot", celsius=celsius)

    @rule(when("sensor:too_hot").count(3).within(minutes=5))
    def alarm(self, event: Event) -> None:
        warm: float = self.use(Units).fahrenheit(30.0)
        by_name: object = self.use("org.example.units", places=1).fahrenheit(30.0)
        self.log.info("warm", {"by_name": str(by_name)})
        self.directive("alarm", at=event.time_ms, fahrenheit=warm)
        for child in self.pico.children:
            self.send(child["eci"], "house:alarm")


def test_alarm() -> None:
    pico = Harness(Thermometer, Units, config={"limit_celsius": 20})
    for minute in range(3):
        pico.clock.minutes(minute)
        answer = pico.event("sensor:reading", celsius=45, room="kitchen")
    names: list[str] = answer.names
    assert names == ["alarm"]
    assert pico.query(Thermometer, "newest") == 45
'''

WRONG = {
    "a variable of another type": ("readings: list[Reading]", "readings: int"),
    "a module's function that is not there": ("fahrenheit(30.0)", "kelvin(30.0)"),
    "an argument of another type": ('celsius=45, room="kitchen"', "5"),
    "a rule without an expression": ('@rule(when("sensor:too_hot").count(3).within(minutes=5))', "@rule(5)"),
}


def _check(directory: Path, text: str) -> str:
    path = directory / "thermometer.py"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    return done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("mypy", path=str(Path(sys.executable).parent)) is None, reason="needs mypy")
def test_a_ruleset_and_its_test_are_well_typed(tmp_path: Path) -> None:
    assert _check(tmp_path, GOOD) == ""
    for what, (right, wrong) in WRONG.items():
        assert right in GOOD
        said = _check(tmp_path, GOOD.replace(right, wrong))
        assert "error:" in said, what


def test_the_example_runs(tmp_path: Path) -> None:
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(GOOD, "thermometer.py", "exec"), names)
    names["test_alarm"]()
