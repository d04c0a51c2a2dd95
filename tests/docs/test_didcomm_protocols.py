"""The pages of the DIDComm protocols: every protocol, message, limit and table; the tables as in the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.protocols import coordinate_mediation, pickup
from pico_didcomm.protocols.problem_report import ERRORS_PER_THREAD_MAX
from pico_didcomm.protocols.responder import PROTOCOLS
from pico_didcomm.protocols.tables import Table

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "didcomm-protocols.md").read_text()
STATES = REFERENCE / "didcomm-states.md"


def states_page(tables: tuple[Table, ...] = PROTOCOLS) -> str:
    """What `didcomm-states.md` has to say. After a change: write it there, and read the difference."""
    parts = [
        "# States of the DIDComm protocols",
        "Made from the tables in `pico_didcomm.protocols`; a test says when they are stale. What is "
        "*unexpected* is refused\nwith `unexpected-message`. [The protocols](didcomm-protocols.md) are told "
        "elsewhere.",
    ]
    protocol = ""
    for table in tables:
        if table.protocol != protocol:
            protocol = table.protocol
            parts.append(f"## {protocol.removeprefix('https://didcomm.org/')}")
        parts += [f"### The {table.role}", table.markdown().rstrip("\n")]
        if len(table.rows) > 1:
            parts.append(f"```mermaid\n{table.mermaid()}\n```")
    return "\n\n".join(parts) + "\n"


def test_the_tables_are_those_of_the_code() -> None:
    assert STATES.read_text() == states_page()


@pytest.mark.parametrize("protocol", sorted({table.protocol for table in PROTOCOLS}))
def test_every_protocol_is_there(protocol: str) -> None:
    assert f"| `{protocol}` |" in PAGE


def test_every_message_of_mediation_and_pickup_is_there() -> None:
    names = [type_.rpartition("/")[2] for one in coordinate_mediation.VERSIONS for type_ in one.types]
    for name in {*names, *pickup.NAMES}:
        assert f"`{name}`" in PAGE


def test_every_limit_of_a_mediator_is_there() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", PAGE, re.MULTILINE))
    found = {one.name: f"{one.default:,}" for one in fields(MediatorLimits)}
    assert {name: told.get(name) for name in found} == found


def test_numbers() -> None:
    assert f"{ERRORS_PER_THREAD_MAX} per thread" in PAGE


def test_the_library_page_runs_from_top_to_bottom() -> None:
    page = (REFERENCE.parent / "how-to" / "use-the-didcomm-library.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) > 5
    exec(compile("\n".join(blocks), "use-the-didcomm-library.md", "exec"), {})  # its assertions are the test
