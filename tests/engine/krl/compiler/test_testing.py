"""What `__testing` tells of a ruleset. See test_rulesets for the whole."""

from __future__ import annotations

from pico_engine.krl.compiler.testing import EventList


def test_events_by_rule_and_domain_and_their_attributes() -> None:
    events = EventList()
    events.add_attribute("of no rule")
    events.rule = "one"
    events.add("a", "x")
    events.add_attribute("p")
    events.add("b", "x")
    events.add("a", "y")
    events.add("a", "x")
    events.add_attribute("q")
    events.rule = "two"
    events.add("a", "x")
    assert events.to_json() == [
        {"domain": "a", "name": "x", "attrs": ["p", "q"]},
        {"domain": "a", "name": "y", "attrs": ["q"]},
        {"domain": "b", "name": "x", "attrs": ["q"]},
        {"domain": "a", "name": "x", "attrs": []},
    ]
