"""Diagrams and tables in the explanations that are made from the code are not stale.

Where a test fails, put the text that it shows between the two comments in the page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pico_didcomm.protocols.connection import INITIAL, TRANSITIONS, table_text
from pico_engine import any_of, when
from pico_engine.expressions import compile_select
from pico_engine.expressions.describe import mermaid

EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"
CONNECTIONS = (EXPLANATION / "connections.md").read_text()
TURNS = (EXPLANATION / "turns.md").read_text()


def blocks(page: str, name: str) -> list[str]:
    return re.findall(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page, re.DOTALL)


def test_the_table_of_connection_states() -> None:
    assert blocks(CONNECTIONS, "connection states") == [table_text().rstrip("\n")]


@pytest.mark.parametrize("role", list(TRANSITIONS))
def test_the_diagram_of_connection_states(role: str) -> None:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {INITIAL[role]}"]
    for state, row in TRANSITIONS[role].items():
        lines += [f"    {state} --> {to}: {name}" for name, to in row.items() if to != state]
    assert blocks(CONNECTIONS, role) == ["\n".join([*lines, "```"])]


@pytest.mark.parametrize("block", blocks(TURNS, "expression"))
def test_the_diagram_of_an_event_expression(block: str) -> None:
    source = re.search(r"```python\n(.+?)\n```", block, re.DOTALL)[1]
    expression = eval(source, {"when": when, "any_of": any_of})
    drawn = mermaid(compile_select(expression.select()))
    assert block == f"```python\n{source}\n```\n\n```mermaid\n{drawn}\n```"


def test_there_are_event_expressions() -> None:
    assert len(blocks(TURNS, "expression")) >= 5
