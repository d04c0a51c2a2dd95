"""Events as rules see them."""

from __future__ import annotations

import pytest

from pico_engine.errors import BadRequest
from pico_engine.events import Event, split_name


def test_names_and_attributes() -> None:
    event = Event("sensor", "reading", {"celsius": 1})
    assert event.name == "sensor:reading"
    assert (event.attr("celsius"), event.attr("none"), event.attr("none", 5)) == (1, None, 5)
    assert split_name("sensor:reading") == ("sensor", "reading")


@pytest.mark.parametrize("name", ["", "a", ":", ":b", "a:", "a:b:c", "a::b"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="is not an event's name") as caught:
        split_name(name)
    assert "domain:type" in caught.value.hint


def test_an_events_attributes_cannot_be_changed_by_a_rule() -> None:
    from pico_engine import Ruleset, rule, when
    from pico_engine.harness import Harness

    class Changing(Ruleset, rid="test.changing"):
        @rule(when("a:b"))
        def change(self, event: Event) -> None:
            event.attrs["n"] = 2

        @rule(when("a:b", "system:error"))
        def look(self, event: Event) -> None:
            self.directive("n", n=event.attr("n"), kind=type(event.attrs).__name__)

    answer = Harness(Changing).event("a:b", n=1)
    assert [one["options"] for one in answer.directives] == [
        {"n": 1, "kind": "FrozenMap"},
        {"n": None, "kind": "FrozenMap"},
    ]
