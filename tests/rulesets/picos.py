"""Picos for tests of the built-in rulesets: a root with named children, each with a witness."""

from __future__ import annotations

from typing import Any

from pico_engine import Event, Ruleset, ent, query, rule, when
from pico_engine.channels import ALLOW_ALL
from pico_engine.harness import Answer, Bench
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import PICO_RULESETS, SUBSCRIPTION, WRANGLER, Wrangler


class Witness(Ruleset, rid="test.witness"):
    """Keeps the events of some domains, as they came."""

    seen: list[dict[str, Any]] = ent(default=[])

    @rule(when("wrangler:*", "test:*", "sensor:*", "wovyn:*", "event:*"))
    def note(self, event: Event) -> None:
        if "_quiet" not in event.attrs:
            self.seen.append({"name": event.name, "attrs": event.attrs, "sender": event.sender})

    @query
    def all(self) -> Any:
        return self.seen


class Family:
    """A root pico and children with names; everything is said by name here."""

    def __init__(self, *children: str, rulesets: tuple[type[Ruleset], ...] = (), **options: Any) -> None:
        self.bench = Bench(
            Wrangler,
            Subscription,
            Witness,
            *rulesets,
            root_rulesets=(*PICO_RULESETS, "test.witness"),
            **options,
        )
        self.clock = self.bench.clock
        for name in children:
            self.add(name)

    def add(self, name: str, parent: str = "root") -> None:
        self.event(parent, "wrangler:new_child_request", name=name)
        self.install(name, "test.witness")

    def did(self, name: str) -> str:
        """The DID of a pico with this name, wherever in the family."""
        waiting = [self.bench.root]
        while waiting:
            did = waiting.pop()
            pico = self.bench.engine.pico(did)
            if pico.name == name:
                return did
            waiting += pico.children.rows
        raise KeyError(name)

    def install(self, name: str, rid: str, **config: Any) -> None:
        self.event(name, "wrangler:install_ruleset_request", rid=rid, config=config)

    def event(self, pico: str, name: str, attrs: dict[str, Any] | None = None, /, **more: Any) -> Answer:
        """As the owner."""
        return self.bench.event(self.did(pico), name, {**(attrs or {}), **more})

    def query(self, pico: str, rid: str, name: str, /, **args: Any) -> Any:
        return self.bench.query(self.did(pico), rid, name, args)

    def buses(self, pico: str, kind: str = "established") -> list[dict[str, Any]]:
        return self.query(pico, SUBSCRIPTION, kind)

    def seen(self, pico: str, name: str = "") -> list[dict[str, Any]]:
        """Attributes of the events of this name, oldest first."""
        rows = self.query(pico, "test.witness", "all")
        return [row["attrs"] for row in rows if name in ("", row["name"])]

    def names(self, pico: str) -> list[str]:
        return [row["name"] for row in self.query(pico, "test.witness", "all")]

    def channels(self, pico: str) -> set[str]:
        return set(self.bench.engine.pico(self.did(pico)).channels.rows)

    def well_known(self, pico: str) -> str:
        return self.query(pico, SUBSCRIPTION, "wellKnown_Rx")["id"]

    def open_channel(self, pico: str) -> str:
        """A channel that admits everything, over HTTP too."""
        return self.bench.operate(
            self.did(pico),
            lambda one: one.engine.family.new_channel(one, ("open",), ALLOW_ALL, ALLOW_ALL, ("http",)).eci,
        )

    def ask(self, asking: str, asked: str, **more: Any) -> None:
        """`asking` asks `asked` for a subscription."""
        attrs = {"name": "it", "Rx_role": "watcher", "Tx_role": "sensor", **more}
        self.event(asking, "wrangler:subscription", wellKnown_Tx=self.well_known(asked), **attrs)

    def subscribe(self, asking: str, asked: str, **more: Any) -> dict[str, Any]:
        """Ask and approve; answers the bus of the asking side."""
        self.ask(asking, asked, **more)
        bus_id = self.buses(asking, "outbound")[-1]["Id"]
        self.event(asked, "wrangler:pending_subscription_approval", Id=bus_id)
        return next(bus for bus in self.buses(asking) if bus["Id"] == bus_id)

    @property
    def errors(self) -> list[str]:
        return [line.text for line in self.bench.log if line.level == "error"]


__all__ = ["PICO_RULESETS", "SUBSCRIPTION", "WRANGLER", "Family", "Witness"]
