"""The table of the owner's API: no two operations are the same, and each is one that a node can do."""

from __future__ import annotations

import re

import pytest

from pico_node.http.operations import OPERATIONS, Operation


def test_no_operation_is_there_twice():
    names = [(one.method, one.path) for one in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_each_holds_together(operation):
    assert re.fullmatch(r"(/[a-z]+|/\{[a-z]+\})+", operation.path)
    names = [*operation.path_names, *(field.name for field in operation.fields)]
    assert len(set(names)) == len(names)
    assert re.fullmatch("[a-z_]+", operation.command)
    assert operation.about
    assert all(field.about and field.place in ("body", "query") for field in operation.fields)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_methods_mean_what_they_say(operation):
    """GET and DELETE take no body; 201 is answered only where something was made."""
    assert operation.method in ("GET", "POST", "DELETE")
    if operation.method != "POST":
        assert operation.fields_in("body") == ()
        assert operation.status == 200
    made = operation.command in ("pico_new", "ruleset_install", "channel_new", "invite", "accept")
    assert (operation.status == 201) == made


def test_reads_are_gets_and_changes_are_not():
    reads = {
        "status",
        "mediation",
        "pico_list",
        "pico_show",
        "ruleset_list",
        "ruleset_urls",
        "channel_list",
        "connections",
        "logs",
        "traces",
    }
    for operation in OPERATIONS:
        assert (operation.method == "GET") == (operation.command in reads), operation


def test_names_in_a_path():
    assert Operation("GET", "/a/{b}/c/{d}", "x", "").path_names == ("b", "d")
    assert Operation("GET", "/a", "x", "").path_names == ()
