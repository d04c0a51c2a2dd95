"""Rulesets that benchmarked node processes load from their rulesets folder."""

from __future__ import annotations

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
    echoes: int = ent(default=0)

    @query
    def echoed(self) -> int:
        return self.echoes

    @rule(when("connection:established"))
    def connected(self, event: Event) -> None:
        self.tx = event.attr("Tx")

    @rule(when("bench:send"))
    def send_on(self, event: Event) -> None:
        for number in range(int(event.attr("count", 1))):
            self.send(self.tx, "bench:arrived", number=number, at=event.attr("at", 0), text="x" * 100)

    @rule(when("bench:echoed"))
    def count_echo(self, _event: Event) -> None:
        self.echoes += 1


class BenchReceiver(Ruleset, rid="picomesh.bench.receiver"):
    """Counts what arrives."""

    arrived: int = ent(default=0)
    tx: str = ent(default="")

    @query
    def count(self) -> int:
        return self.arrived

    @rule(when("connection:established"))
    def connected(self, event: Event) -> None:
        self.tx = event.attr("Tx")

    @rule(when("bench:arrived"))
    def take(self, _event: Event) -> None:
        self.arrived += 1
