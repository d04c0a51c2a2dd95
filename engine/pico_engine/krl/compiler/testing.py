"""What a ruleset's rules listen to, as `__testing` tells it to whoever wants to try the ruleset."""

from __future__ import annotations

from pico_engine.values import Json


class EventList:
    """Events and the attributes that their rules look at, gathered while rules are compiled."""

    def __init__(self) -> None:
        self._rules: dict[str, dict[str, dict[str, dict[str, None]]]] = {}
        self.rule = ""
        """The rule that is being compiled; "" outside of rules, where nothing is gathered."""

    def add(self, domain: str, kind: str) -> None:
        self._rules.setdefault(self.rule, {}).setdefault(domain, {}).setdefault(kind, {})

    def add_attribute(self, name: str) -> None:
        """An attribute that the rule reads: it may come with any event that the rule names."""
        for kinds in self._rules.get(self.rule, {}).values():
            for attributes in kinds.values():
                attributes[name] = None

    def to_json(self) -> list[Json]:
        return [
            {"domain": domain, "name": kind, "attrs": list(attributes)}
            for domains in self._rules.values()
            for domain, kinds in domains.items()
            for kind, attributes in kinds.items()
        ]
