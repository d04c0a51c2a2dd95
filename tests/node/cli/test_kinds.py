"""Kinds of values: what each takes from an option, the environment or the file, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_node.cli.kinds import ADDRESS, DURATION, FLAG, JSON, JSON_MAP, PATH, PORT_MAX, TEXT, WHOLE, Kind

KINDS = [TEXT, FLAG, WHOLE, DURATION, JSON, JSON_MAP, ADDRESS, PATH]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", KINDS, ids=[f"{kind.name}: {kind.wanted}" for kind in KINDS])
@settings(max_examples=40)
@given(value=st.text(st.characters(exclude_characters="~")) | json_values)
def test_kinds_read_or_refuse(kind: Kind, value):
    try:
        kind.read(value)
    except ValueError:
        assert kind.wanted


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (TEXT, "a b", "a b"),
        (FLAG, True, True),
        (FLAG, " Yes ", True),
        (FLAG, "off", False),
        (WHOLE, "12", 12),
        (WHOLE, -3, -3),
        (DURATION, "90", 90),
        (DURATION, 90, 90),
        (DURATION, " 30m ", 1_800),
        (DURATION, "2w", 1_209_600),
        (JSON, "[1, null]", [1, None]),
        (JSON, [1], [1]),
        (JSON_MAP, '{"a": 1}', {"a": 1}),
        (ADDRESS, "127.0.0.1:4200", ("127.0.0.1", 4200)),
        (ADDRESS, ":0", ("127.0.0.1", 0)),
        (ADDRESS, "[::1]:1", ("::1", 1)),
        (ADDRESS, f"node.example:{PORT_MAX}", ("node.example", PORT_MAX)),
        (PATH, "/a/b", Path("/a/b")),
    ],
)
def test_what_is_read(kind: Kind, given, expected):
    found = kind.read(given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TEXT, 3), (TEXT, None), (FLAG, "perhaps"), (FLAG, 1), (FLAG, ""), (WHOLE, True), (WHOLE, "1.5"),
        (WHOLE, 1.5), (WHOLE, ""), (DURATION, True), (DURATION, "-1s"), (DURATION, "1.5h"), (DURATION, "1y"),
        (DURATION, "1234567890"), (DURATION, "s"), (JSON, "{"), (JSON_MAP, "[]"), (JSON_MAP, None),
        (ADDRESS, "127.0.0.1"), (ADDRESS, f"a:{PORT_MAX + 1}"), (ADDRESS, "::1:1"), (ADDRESS, "a b:1"),
        (ADDRESS, 4200), (PATH, ""), (PATH, None),
    ],
)  # fmt: skip
def test_what_is_refused(kind: Kind, value):
    with pytest.raises(ValueError):
        kind.read(value)


def test_a_home_of_nobody_is_refused():
    with pytest.raises(ValueError):
        PATH.read("~nobody-of-this-name/x")


@pytest.mark.parametrize("kind", [JSON, JSON_MAP], ids=["any", "map"])
def test_json_that_is_too_deep_is_refused(kind: Kind):
    with pytest.raises(ValueError):
        kind.read("[" * 200_000)


def test_a_path_is_absolute_and_knows_the_home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/of/somebody")
    assert PATH.read("a") == tmp_path / "a"
    assert PATH.read("~/a") == Path("/home/of/somebody/a")


@given(st.integers(0, 999_999_999), st.sampled_from([("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]))
def test_durations_are_seconds(count, unit):
    assert DURATION.read(f"{count}{unit[0]}") == count * unit[1]


@given(json_values)
def test_json_is_read_back(value):
    assert JSON.read(json.dumps(value)) == value
