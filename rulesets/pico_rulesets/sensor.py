"""picomesh.sensor: a pico that stands for a temperature sensor.

It takes what a Wovyn sensor posts (`wovyn:heartbeat`) or what a LoRaWAN network posts for a Dragino LHT65
(`lorawan:uplink`), keeps the readings, notices those above a threshold, and tells its watchers: the other
sides of subscriptions in which they have the role `watcher`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pico_engine import Event, Ruleset, config, ent, number, provides, query, rule, when
from pico_engine.errors import BadRequest, UnknownRuleset
from pico_engine.values import FrozenMap, Json, encode
from pico_rulesets.attributes import passed_on
from pico_rulesets.payloads import BadPayload, Reading, read_uplink, read_wovyn
from pico_rulesets.subscription import Subscription

WATCHER_ROLE: Final = "watcher"
REJECTED_MAX: Final = 20
"""Messages that could not be understood: enough to see what a wrongly set up sensor sends."""
REJECTED_MAX_BYTES: Final = 4_096
"""A sensor's message has about 1,500 bytes."""
CLOCK_AHEAD_MAX_MS: Final = 86_400_000
"""A reading dated later than tomorrow has a broken clock: it gets the time at which it came."""
TEXT_MAX_CHARS: Final = 256
PROFILE_TEXTS: Final = ("name", "location", "description", "contact")

_KEPT: Final = (
    "temperature", "temperature_celsius", "timestamp", "time_ms", "sensor", "probe", "probe_name", "source",
    "humidity_percent", "health_percent", "battery_volts", "battery_status", "external", "from_log",
)  # fmt: skip
"""What is kept of a reading."""


def _from_inside(event: Event) -> bool:
    """Raised by a rule, or sent by the owner: what comes in on channels is what sensors send."""
    return event.eci == ""


_NEW_READING: Final = when("wovyn:new_temperature_reading", where=_from_inside, temperature=number())
_VIOLATION: Final = when("wovyn:threshold_violation", where=_from_inside, temperature=number())


class TemperatureSensor(Ruleset, rid="picomesh.sensor", version="1.0.0", author="picomesh"):
    """Keeps a sensor's temperature readings (in °F) and says when one is above the threshold."""

    readings: list[FrozenMap] = ent(default=[])
    violations: list[FrozenMap] = ent(default=[])
    rejected_messages: list[FrozenMap] = ent(default=[])
    newest: Any = ent()
    told_profile: dict[str, Json] = ent(default={})

    readings_max: int = config(default=10_000)
    """Readings and violations kept; the oldest go first."""
    threshold: float = config(default=80.0)
    """In °F, until the profile sets another."""

    # -- queries ------------------------------------------------------------------------------------------

    @provides
    @query
    def temperatures(self, last: int = 0) -> list[FrozenMap]:
        """All readings in the order in which they came, or the `last` so many of them."""
        return self.readings[-last:] if last > 0 else list(self.readings)

    @provides
    @query
    def threshold_violations(self, last: int = 0) -> list[FrozenMap]:
        return self.violations[-last:] if last > 0 else list(self.violations)

    @provides
    @query
    def inrange_temperatures(self) -> list[FrozenMap]:
        """Readings that were no violation when they came."""
        return [reading for reading in self.readings if not reading.get("violation")]

    @provides
    @query
    def latest(self) -> Json:
        """The reading with the latest time; None before the first."""
        return self.newest

    @provides
    @query
    def statistics(self, hours: float = 24.0) -> dict[str, Json]:
        """Count, min, max and mean of the temperature in the last `hours`."""
        since = self.now - round(hours * 3_600_000)
        values = [reading["temperature"] for reading in self.readings if reading["time_ms"] >= since]
        return {
            "hours": hours,
            "count": len(values),
            "min": min(values, default=None),
            "max": max(values, default=None),
            "mean": round(sum(values) / len(values), 2) if values else None,
        }

    @provides
    @query
    def profile(self) -> dict[str, Json]:
        return {"threshold": self.threshold, **self.told_profile}

    @query
    def rejected(self) -> list[FrozenMap]:
        """The newest messages that could not be understood, and why."""
        return list(self.rejected_messages)

    # -- what sensors send --------------------------------------------------------------------------------

    @rule(when("wovyn:heartbeat"))
    def take_heartbeat(self, event: Event) -> None:
        self._take(event, read_wovyn)

    @rule(when("lorawan:uplink"))
    def take_uplink(self, event: Event) -> None:
        self._take(event, read_uplink)

    def _take(self, event: Event, read: Callable[[Mapping[str, Json]], list[Reading]]) -> None:
        try:
            readings = read(event.attrs)
        except BadPayload as error:
            self._reject(event, error)
            return
        for reading in readings:
            self.raise_event("wovyn:new_temperature_reading", self._dated(reading))
        self.directive("readings", count=len(readings), temperatures=[one["temperature"] for one in readings])

    def _dated(self, reading: Reading) -> Reading:
        time_ms = reading.get("time_ms")
        if not isinstance(time_ms, int) or not 0 <= time_ms <= self.now + CLOCK_AHEAD_MAX_MS:
            time_ms = self.now
        return {**reading, "time_ms": time_ms, "timestamp": _iso(time_ms)}

    def _reject(self, event: Event, error: BadPayload) -> None:
        """Nothing is lost: keep it, say so in the log and to the sender."""
        attrs: Json = passed_on(event)
        size = len(encode(attrs))
        if size > REJECTED_MAX_BYTES:
            attrs = f"left out: {size:,} bytes"
        message = {"time_ms": self.now, "event": event.name, "reason": error.what, "attrs": attrs}
        _add(self.rejected_messages, message, REJECTED_MAX)
        self.log.warning(f"{event.name} rejected: {error.what}")
        self.directive("rejected", code=error.code, reason=error.what, hint=error.hint)

    # -- keeping and judging ------------------------------------------------------------------------------

    @rule(_NEW_READING)
    def keep(self, event: Event, temperature: float) -> None:
        reading = {key: event.attrs[key] for key in _KEPT if key in event.attrs}
        reading = {**self._dated(reading), "temperature": temperature}
        limit = self.profile()["threshold"]
        if temperature > limit:
            reading["violation"] = True
            self.raise_event("wovyn:threshold_violation", reading, threshold=limit)
        _add(self.readings, reading, self.readings_max)
        newest = self.newest
        if newest is None or reading["time_ms"] >= newest["time_ms"]:
            self.newest = reading

    @rule(_VIOLATION)
    def keep_violation(self, event: Event, temperature: float) -> None:
        kept = {key: event.attrs[key] for key in (*_KEPT, "threshold") if key in event.attrs}
        _add(self.violations, {**self._dated(kept), "temperature": temperature}, self.readings_max)

    @rule(_VIOLATION.count(3).within(minutes=5))
    def alarm(self, event: Event) -> None:
        """Three violations within five minutes."""
        self.log.warning("alarm: three violations within five minutes")
        attrs = {
            key: event.attr(key) for key in ("temperature", "threshold", "timestamp", "time_ms", "sensor")
        }
        told = {key: value for key, value in attrs.items() if value is not None}
        self.raise_event("sensor:alarm", told, **self._names())

    @rule(when("sensor:profile_updated"))
    def update_profile(self, event: Event) -> None:
        """Takes `threshold` (°F), `name`, `location`, `description`, `contact`; others are ignored."""
        told = dict(self.told_profile)
        for key in PROFILE_TEXTS:
            value = event.attr(key)
            if value is not None:
                if not isinstance(value, str) or len(value) > TEXT_MAX_CHARS:
                    raise BadRequest(
                        f"{key} of a sensor's profile is text of at most {TEXT_MAX_CHARS} characters"
                    )
                told[key] = value
        if event.attr("threshold") is not None:
            told["threshold"] = _degrees(event.attr("threshold"))
        self.told_profile = told
        self.directive("profile", self.profile())

    def _names(self) -> dict[str, Json]:
        """How watchers know the sensor by name."""
        return {key: value for key, value in self.told_profile.items() if key in ("name", "location")}

    # -- telling watchers: rules of their own, so that what fails here loses no reading ----------------------

    @rule(_NEW_READING)
    def tell_reading(self, event: Event) -> None:
        self._tell("sensor:reading", {**passed_on(event), **self._names()})

    @rule(_VIOLATION)
    def tell_violation(self, event: Event) -> None:
        self._tell("sensor:violation", {**passed_on(event), **self._names()})

    @rule(when("sensor:alarm", where=_from_inside))
    def tell_alarm(self, event: Event) -> None:
        """Only our own alarm: another sensor's, of which we were told, is not handed on."""
        self._tell("sensor:alarm", event.attrs)

    def _tell(self, name: str, attrs: Mapping[str, Any]) -> None:
        try:
            watchers = self.use(Subscription).established("Tx_role", WATCHER_ROLE)
        except UnknownRuleset:  # a sensor without subscriptions has no watchers
            return
        for bus in watchers:
            self.send(bus["Tx"], name, attrs)


def _add(rows: Any, row: Json, most: int) -> None:
    """Append, and drop the oldest ones beyond `most`."""
    rows.append(row)
    if len(rows) > most:
        del rows[: len(rows) - most]


def _iso(time_ms: int) -> str:
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _degrees(value: Json) -> float:
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        degrees = float("nan")
    if isinstance(value, bool) or not -200 < degrees < 400:
        raise BadRequest(f"a threshold is a temperature in °F, not {value!r}")
    return degrees
