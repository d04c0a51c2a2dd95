"""The reference of Python rulesets is complete, and its examples and those of the tutorial run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

import pico_engine
from pico_engine.api import Log, PicoView, RulesetApi
from pico_engine.expressions import EventExpression
from pico_engine.harness import Harness
from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.grammar import build_parser, parse

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference" / "python-rulesets.md"
TUTORIAL = DOCS / "tutorial.md"


def _public(kind: type) -> list[str]:
    return sorted(name for name in vars(kind) if not name.startswith("_"))


@pytest.mark.parametrize("page", [REFERENCE, TUTORIAL], ids=lambda page: page.name)
def test_the_code_runs(page: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) > 3
    module = ModuleType("page")
    for block in blocks:
        exec(compile(block, page.name, "exec"), module.__dict__)
    for name, value in list(vars(module).items()):
        if name.startswith("test_"):
            value()


def test_what_the_examples_of_the_reference_claim() -> None:
    module = ModuleType("page")
    text = REFERENCE.read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "page", "exec"), module.__dict__)
    seen = Harness(module.Seen)
    for room in ["kitchen"] * 11 + ["hall"]:
        seen.event("person:seen", room=room)
    summary = seen.query(module.Seen, "summary")
    assert (summary["count"], summary["rooms"]) == (12, {"kitchen": 11, "hall": 1})
    assert len(summary["newest"]) == 10
    seen.event("person:forget")
    assert seen.query(module.Seen, "summary") == {"count": 0, "rooms": {}, "newest": []}
    watch = Harness(module.Watch)
    for celsius in (10, 20):
        watch.event("sensor:reading", celsius=celsius)
    answer = watch.event("sensor:reading", celsius=60)
    assert answer.options("trend") == {"mean": 30, "peak": 60}
    assert answer.options("too hot") == {"celsius": 60}
    assert watch.event("message:received", text="open the door").options("do") == {
        "verb": "open",
        "what": "the door",
    }
    watch.event("smoke:seen")
    assert watch.event("fire:reported").names == ["fire"]
    watch.event("door:opened", door="front")
    assert watch.event("alarm:disarmed").options("home") == {"door": "front"}
    display = Harness(module.Display, module.Units)
    assert display.event("sensor:reading", celsius=20).options("show") == {"text": "68.0 °F"}


@pytest.mark.parametrize(
    "name",
    [
        *(f"self.{name}" for name in _public(RulesetApi) if name not in ("definition", "variables")),
        *(f"self.pico.{name}" for name in _public(PicoView)),
        *(f"self.log.{name}" for name in _public(Log)),
    ],
)
def test_everything_that_self_can_do_is_there(name: str) -> None:
    assert re.search(rf"{re.escape(name)}\b", REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in pico_engine.__all__ if name != "EngineError"])
def test_everything_that_can_be_imported_is_there(name: str) -> None:
    assert re.search(rf"\b{name}\b", REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [n for n in _public(EventExpression) if n not in ("select", "expression")])
def test_every_event_expression_is_there(name: str) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert re.search(rf"\.{name}\(", text) or name == "within_ms"


@pytest.mark.parametrize("name", _public(Harness))
def test_the_harness_is_there(name: str) -> None:
    assert re.search(rf"\.{name}\b", REFERENCE.read_text(encoding="utf-8"))


def test_the_commands_of_the_tutorial_are_taken() -> None:
    lines = re.findall(r"^picomesh (.+)$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE)
    parser = build_parser(COMMANDS, GROUPS, COMMON)
    assert len(lines) > 5
    for line in lines:
        assert parse(parser, shlex.split(line))["command"]
