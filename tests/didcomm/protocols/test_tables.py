"""Every state machine of every protocol: each happening in each state, and the diagrams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_didcomm.errors import UnexpectedMessage
from pico_didcomm.protocols.responder import PROTOCOLS
from pico_didcomm.protocols.tables import Table

IDS = [f"{table.protocol.removeprefix('https://didcomm.org/')} {table.role}" for table in PROTOCOLS]
CASES = [(table, state, name) for table in PROTOCOLS for state in table.rows for name in table.happenings]


def test_no_two_tables_are_of_one_role() -> None:
    assert len(set(IDS)) == len(IDS)
    assert len(IDS) > 30


@pytest.mark.parametrize(("table", "state", "happening"), CASES)
def test_each_happening_in_each_state(table: Table, state: str, happening: str) -> None:
    expected = table.rows[state].get(happening)
    if expected is None:
        with pytest.raises(UnexpectedMessage) as raised:
            table.after(state, happening)
        assert happening in str(raised.value)
        assert state in str(raised.value)
    else:
        assert table.after(state, happening) == expected
        assert expected in table.rows


@pytest.mark.parametrize("table", PROTOCOLS, ids=IDS)
def test_every_state_can_be_reached(table: Table) -> None:
    reached, new = set(), {table.initial}
    while new:
        reached |= new
        new = {after for state in new for after in table.rows[state].values()} - reached
    assert reached == set(table.rows)


@given(st.sampled_from(PROTOCOLS), st.data())
def test_no_walk_leaves_the_table(table: Table, data: st.DataObject) -> None:
    state = table.initial
    for happening in data.draw(st.lists(st.sampled_from(table.happenings), max_size=12)):
        if happening in table.rows[state]:
            state = table.after(state, happening)
        assert state in table.rows


def test_a_table_and_its_diagram() -> None:
    table = Table("p", "cook", "cold", {"cold": {"heat": "hot"}, "hot": {"heat": "hot", "wait": "cold"}})
    assert table.markdown() == (
        "| cook | heat | wait |\n|---|---|---|\n| **cold** | hot | unexpected |\n| **hot** | hot | cold |\n"
    )
    assert (
        table.mermaid() == "stateDiagram-v2\n    [*] --> cold\n    cold --> hot: heat\n    hot --> cold: wait"
    )
