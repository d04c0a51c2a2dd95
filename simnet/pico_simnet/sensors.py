"""The greenhouse story with the rulesets that come with a node: a temperature sensor and its watchers.

The rulesets are those that people use, so they keep nothing for the sake of a check: what is checked follows
from what they promise. A watcher is told every reading from the moment when it was subscribed, and after each
reading above the threshold the violation.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pico_engine.values import Json
from pico_rulesets.sensor import TemperatureSensor
from pico_rulesets.watcher import Watcher
from pico_simnet.errors import InvariantBroken
from pico_simnet.greenhouse import GreenhouseStory, check_beginning
from pico_simnet.host import SimulatedHost

HOT_FAHRENHEIT, MILD_FAHRENHEIT = 100.0, 60.0
"""Above and below the sensor's threshold of 80 °F."""


class SensorStory(GreenhouseStory):
    """A Wovyn sensor's heartbeats; the name of the probe carries the number of the reading."""

    house_ruleset: ClassVar[type[Any]] = TemperatureSensor
    watcher_ruleset: ClassVar[type[Any]] = Watcher

    def _event(self, number: int, *, is_hot: bool) -> tuple[str, str, dict[str, Json]]:
        temperature = HOT_FAHRENHEIT if is_hot else MILD_FAHRENHEIT
        probe = {"name": str(number), "temperatureF": temperature}
        return "wovyn", "heartbeat", {"genericThing": {"data": {"temperature": [probe]}}}

    def _readings(self) -> tuple[list[int], set[int]]:
        """The readings on the disk, and which of them were violations."""
        house = self._greenhouse
        rows: Any = self.world.query_disk(house.host.name, house.pico, house.rid, "temperatures")
        hot = {int(row["probe_name"]) for row in rows if row.get("violation")}
        return [int(row["probe_name"]) for row in rows], hot

    def _told(self) -> list[tuple[list[int], list[int]]]:
        """Of each watcher: readings and violations that it was told, by its disk."""
        found = []
        for one in self._watchers:
            rows: Any = self.world.query_disk(one.host.name, one.pico, one.rid, "received")
            numbers: dict[str, list[int]] = {"reading": [], "violation": [], "alarm": []}
            for row in rows:
                numbers[row["kind"]].append(int(row["attrs"].get("probe_name", -1)))
            found.append((numbers["reading"], numbers["violation"]))
        return found

    def _check_disk(self, host: SimulatedHost) -> None:
        readings, hot = self._readings()
        if host is self._greenhouse.host:
            self._check_readings(readings, self.sent.answered)
        for told, violations in self._told():
            check_beginning("readings told", told, _from(readings, told))
            check_beginning("violations told", violations, [number for number in told if number in hot])

    def _check_story(self) -> None:
        readings, hot = self._readings()
        self._check_readings(readings, self.sent.answered | self.sent.accepted)
        for told, violations in self._told():
            if told != _from(readings, told):
                raise InvariantBroken(f"a watcher was told {told} of the readings {readings}")
            if violations != [number for number in told if number in hot]:
                raise InvariantBroken(
                    f"of the readings {told} a watcher was told the violations {violations}"
                )


def _from(readings: list[int], told: list[int]) -> list[int]:
    """The readings from the first that was told."""
    return readings[readings.index(told[0]) :] if told and told[0] in readings else []
