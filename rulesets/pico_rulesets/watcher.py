"""picomesh.watcher: a pico that watches sensors: keeps what they tell, and can ask them."""

from __future__ import annotations

from typing import Any, Final

from pico_engine import EngineError, Event, Ruleset, config, ent, provides, query, rule, when
from pico_engine.values import FrozenMap, Json
from pico_rulesets.attributes import passed_on
from pico_rulesets.subscription import Subscription

SENSOR: Final = "picomesh.sensor"
SENSOR_ROLE: Final = "sensor"
KINDS: Final = ("reading", "violation", "alarm")


class Watcher(Ruleset, rid="picomesh.watcher", version="1.0.0", author="picomesh"):
    """Keeps what the sensors tell that it is subscribed to, and who told it."""

    told: list[Any] = ent(default=[])
    alarms_told: list[Any] = ent(default=[])

    received_max: int = config(default=1_000)
    """Messages kept, and alarms beside them; the oldest go first."""

    @query
    def received(self, kind: str = "", last: int = 0) -> list[FrozenMap]:
        """`{kind, time_ms, sender, Rx, attrs}` in order; of one kind, and the `last` so many, if given."""
        rows = [row for row in self.told if kind in ("", row["kind"])]
        return rows[-last:] if last > 0 else rows

    @query
    def alarms(self, last: int = 0) -> list[FrozenMap]:
        return self.alarms_told[-last:] if last > 0 else list(self.alarms_told)

    @provides
    @query
    def ask(self) -> list[dict[str, Json]]:
        """The latest reading of each sensor, or why it could not be asked: `{Id, Tx, latest | error}`."""
        answers: list[dict[str, Json]] = []
        for bus in self.use(Subscription).established("Tx_role", SENSOR_ROLE):
            answer: dict[str, Json] = {"Id": bus["Id"], "Tx": bus["Tx"]}
            try:
                answer["latest"] = self.query(bus["Tx"], SENSOR, "latest")
            except EngineError as error:
                answer["error"] = {"code": error.code, "what": error.what}
            answers.append(answer)
        return answers

    @rule(when(*(f"sensor:{kind}" for kind in KINDS), where=lambda event: event.eci != ""))
    def keep(self, event: Event) -> None:
        """Only what others tell; what this pico itself raises came in on no channel."""
        row = {
            "kind": event.type,
            "time_ms": event.time_ms,
            "sender": event.sender,
            "Rx": event.eci,
            "attrs": passed_on(event),
        }
        for rows in (self.told, self.alarms_told) if event.type == "alarm" else (self.told,):
            rows.append(row)
            if len(rows) > self.received_max:
                del rows[: len(rows) - self.received_max]
