"""Rulesets by their ids."""

from __future__ import annotations

import pytest

from pico_engine import Ruleset
from pico_engine.errors import RulesetDefinitionError, UnknownRuleset
from pico_engine.registry import Registry


class One(Ruleset, rid="test.one"):
    pass


class Two(Ruleset, rid="test.a-two"):
    pass


class WithoutId(One):
    pass


def test_found_by_id() -> None:
    registry = Registry([One, Two])
    assert registry.get("test.one") is registry.find("test.one") is One.definition
    assert [one.rid for one in registry] == ["test.a-two", "test.one"]
    assert registry.find("none") is None
    with pytest.raises(UnknownRuleset):
        registry.get("none")


def test_an_id_belongs_to_one_ruleset() -> None:
    registry = Registry([One])
    assert registry.add(One) is registry.add(One.definition) is One.definition

    class Other(Ruleset, rid="test.one"):
        pass

    with pytest.raises(RulesetDefinitionError, match="One and Other"):
        registry.add(Other)
    registry.add(Other, replace=True)
    assert registry.get("test.one") is Other.definition


@pytest.mark.parametrize("ruleset", [WithoutId, Ruleset])
def test_a_class_without_an_id_is_no_ruleset(ruleset: type[Ruleset]) -> None:
    """It would be taken for the one that it inherits from."""
    with pytest.raises(RulesetDefinitionError, match="no ruleset id"):
        Registry([ruleset])
