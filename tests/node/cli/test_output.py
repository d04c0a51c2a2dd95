"""What is printed: aligned, whole for programs, and never able to drive the terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli.errors import UsageError
from pico_node.cli.output import clock, facts, printable, room, short, show, show_error, table

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@given(st.text())
def test_nothing_printable_drives_the_terminal(text):
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    assert [one for one, before in zip(shown, text, strict=True) if before.isprintable()] == [
        one for one in text if one.isprintable()
    ]


@given(st.text())
def test_short_texts_stay_and_long_ones_lose_their_middle(text):
    shown = short(text)
    assert len(shown) == min(len(text), 28)
    if len(text) <= 28:
        assert shown == printable(text)
    else:
        assert shown[-6:] == printable(text)[-6:]


def test_a_did_is_still_to_be_known():
    assert short(DID) == "did:key:z6MkhaXgBZDvo…ta2doK"


def test_tables():
    assert table(("name", "n"), [("a\nb", 1), ("long name", None)], "none").split("\n") == [
        "NAME       N",
        "a\N{REPLACEMENT CHARACTER}b        1",
        "long name  None",
    ]
    assert table(("name",), [], "no names") == "no names"


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(), st.text(max_size=8)), min_size=1, max_size=5))
def test_columns_begin_at_the_same_place(rows):
    lines = table(("a", "b", "c"), rows, "").split("\n")
    assert len(lines) == len(rows) + 1
    column = lines[0].index("B")
    for line, row in zip(lines[1:], rows, strict=True):
        assert line[column:].startswith(str(row[1]))


def test_facts():
    assert facts([("name", "a"), ("addresses", ["x", "y"]), ("none", [])]).split("\n") == [
        "name       a",
        "addresses  x",
        "           y",
        "none       none",
    ]
    assert facts([]) == ""


def test_times_are_local_and_to_the_millisecond(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert clock(1_700_000_000_123) == "2023-11-14 22:13:20.123"
    finally:
        monkeypatch.undo()
        time.tzset()
    assert clock(None) == "None"
    assert clock("\x1b") == "\N{REPLACEMENT CHARACTER}"


def test_programs_get_the_whole_answer(capsys):
    show({"did": DID, "name": "ä\n"}, as_json=True, human=lambda _: "for people")
    out = capsys.readouterr().out
    assert json.loads(out) == {"did": DID, "name": "ä\n"}
    assert out.count("\n") == 1
    show({}, as_json=False, human=lambda _: "for people")
    assert capsys.readouterr().out == "for people\n"


def test_errors_go_to_standard_error(capsys):
    error = UsageError("wr\x1bong", "do better")
    show_error(error, as_json=False)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "picomesh: wr\N{REPLACEMENT CHARACTER}ong\n  do better\n")
    show_error(error, as_json=True)
    assert json.loads(capsys.readouterr().err) == {
        "error": {"code": "usage", "exit": 2, "message": "wr\x1bong", "hint": "do better"}
    }


def test_no_terminal_has_no_room(capsys):
    assert room() == (0, 0)


@pytest.mark.parametrize("size", [(80, 24)])
def test_the_room_of_a_terminal(monkeypatch, size):
    import os
    import sys

    class Terminal:
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            return 1

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(os, "get_terminal_size", lambda _fileno: os.terminal_size(size))
    assert room() == size
