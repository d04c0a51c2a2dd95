"""Rulesets that benchmarked node processes load from their rulesets folder."""

from __future__ import annotations

from time import monotonic_ns

from pico_engine import Event, Ruleset, ent, query, rule, when


class BenchCounter(Ruleset, rid="picomesh.bench.http_counter"):
    """The smallest rule that changes something."""

    count: int = ent(default=0)

    @query
    def value(self) -> int:
        return self.count

    @rule(when("counter:inc"))
    def increase(self, _event: Event) -> None:
        self.count += 1
        self.directive("count", value=self.count)


class BenchSender(Ruleset, rid="picomesh.bench.sender"):
    """Sends events over its connection: one, or a stream with so many unacknowledged at most."""

    tx: str = ent(default="")

    @rule(when("connection:established"))
    def connected(self, event: Event) -> None:
        self.tx = event.attr("Tx")

    @rule(when("bench:send"))
    def send_on(self, event: Event) -> None:
        for number in range(int(event.attr("count", 1))):
            self.send(self.tx, "bench:arrived", number=number, at_ns=monotonic_ns(), text="x" * 100)


class BenchReceiver(Ruleset, rid="picomesh.bench.receiver"):
    """Counts what arrives."""

    arrived: int = ent(default=0)
    took_ns: list[int] = ent(default=[])
    timed: bool = ent(default=False)

    @query
    def count(self) -> int:
        return self.arrived

    @query
    def timings_ns(self) -> list[int]:
        """From a rule of the sender to the rule here, of the events sent one at a time."""
        return self.took_ns

    @rule(when("bench:arrived"))
    def take(self, event: Event) -> None:
        took_ns = monotonic_ns() - event.attr("at_ns")  # one clock for all processes of a machine
        self.arrived += 1
        if self.timed:
            self.took_ns.append(took_ns)

    @rule(when("bench:time"))
    def time(self, event: Event) -> None:
        self.timed = event.attr("on") == "true"
        self.took_ns = []
