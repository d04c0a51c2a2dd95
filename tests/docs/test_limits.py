"""docs/reference/limits.md names every limit as it is in the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pico_engine.limits import EngineLimits, KrlLimits
from pico_node.agent.limits import AgentLimits
from pico_node.outside import OutsideLimits

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "limits.md"
ROW = re.compile(r"^\| `(\w+)` \| ([\d,]+) \| (\w[^|]*) \| (\S[^|]*) \|$", re.MULTILINE)


def _documented(kind: type) -> dict[str, int]:
    text = DOCS.read_text(encoding="utf-8")
    section = text.split(f"`{kind.__name__}`", 1)[1].split("\n## ", 1)[0]
    return {name: int(default.replace(",", "")) for name, default, _unit, _reason in ROW.findall(section)}


@pytest.mark.parametrize("kind", [EngineLimits, KrlLimits, AgentLimits, OutsideLimits])
def test_the_documentation_names_them_all_as_they_are(kind: type) -> None:
    assert _documented(kind) == {one.name: one.default for one in fields(kind) if one.name != "krl"}
