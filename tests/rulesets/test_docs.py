"""The reference of the built-in rulesets is complete."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from pico_engine import Ruleset

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "rulesets.md").read_text()
ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]


def built_in() -> list[type[Ruleset]]:
    places = (place.split(":") for place in ENTRY_POINTS["picomesh.rulesets"].values())
    return [getattr(import_module(module), name) for module, name in places]


@pytest.mark.parametrize("ruleset", built_in(), ids=lambda ruleset: ruleset.definition.rid)
def test_every_event_query_and_setting_is_in_the_reference(ruleset: type[Ruleset]) -> None:
    definition = ruleset.definition
    part = PAGE.split(f"\n## {definition.rid}\n")[1].split("\n## ")[0]
    events = {f"`{domain}:{kind}`" for one in definition.rules for domain, kind in one.machine.salience}
    queries = {
        f"`{query.name}({', '.join(_public(query.parameters))})`" for query in definition.functions.values()
    }
    modules = {f"`{query.name}(" for query in definition.functions.values() if not query.shared}
    shared = {one for one in queries if not any(one.startswith(name) for name in modules)}
    missing = [one for one in (events | shared | modules) if one not in part]
    missing += [name for name in definition.defaults if f"| `{name}` |" not in part]
    assert missing == []


def _public(parameters: tuple[str, ...]) -> list[str]:
    return [name for name in parameters if not name.startswith("_")]


@pytest.mark.parametrize("rid", ["io.picolabs.wrangler", "io.picolabs.subscription"])
def test_events_that_are_raised_are_in_the_reference(rid: str) -> None:
    source = (ROOT / "rulesets" / "pico_rulesets" / f"{rid.rsplit('.', 1)[1]}.py").read_text()
    quoted = {word for word in source.split('"') if word.startswith("wrangler:") and "{" not in word}
    raised = {word.split("}")[0] for word in quoted if " " not in word and "*" not in word}
    assert sorted(word for word in raised if f"`{word}" not in PAGE) == []


def test_the_examples_readme_names_every_option() -> None:
    page = (ROOT / "examples" / "README.md").read_text()
    source = (ROOT / "examples" / "replay.py").read_text()
    options = {word for word in source.split('"') if word.startswith("--")}
    assert options == {option for option in options if f"`{option}`" in page}
