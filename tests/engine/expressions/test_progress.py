"""Progress as stored data."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine.errors import StoreCorrupt
from pico_engine.expressions.progress import Progress

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
PROGRESS = st.builds(
    Progress,
    machine=st.text(),
    states=st.lists(st.integers(0, 5_000), min_size=1, unique=True).map(tuple),
    started_ms=st.none() | st.integers(),
    settings=st.dictionaries(st.text(), JSON),
    windows=st.dictionaries(st.integers(0, 100), st.lists(JSON).map(tuple)),
)


@settings(max_examples=50, deadline=None)
@given(PROGRESS)
def test_comes_back_from_its_json(progress: Progress) -> None:
    assert Progress.from_json(json.loads(json.dumps(progress.to_json()))) == progress


def test_leaves_out_what_is_empty() -> None:
    assert Progress("f", (2, 3)).to_json() == {"machine": "f", "states": [2, 3]}


@given(JSON)
def test_anything_else_is_refused_as_corrupt(data: Any) -> None:
    with pytest.raises(StoreCorrupt):
        Progress.from_json(data)


@pytest.mark.parametrize(
    "change",
    [
        {"machine": 1},
        {"states": []},
        {"states": ["1"]},
        {"states": [True]},
        {"states": 3},
        {"started_ms": "now"},
        {"started_ms": 1.5},
        {"settings": [1]},
        {"settings": {1: 2}},
        {"windows": {"0": [1]}},
        {"windows": [["0", [1]]]},
        {"windows": [[0, 1]]},
    ],
)
def test_damaged_fields_are_refused_as_corrupt(change: dict[str, Any]) -> None:
    whole = Progress("f", (2,), 5, {"p": 1}, {0: (1,)}).to_json()
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        Progress.from_json({**whole, **change})
