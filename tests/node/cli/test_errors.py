"""Errors of the command line: each says what happened and what to do, and has its exit code."""

from __future__ import annotations

import re

from pico_node.cli import errors
from pico_node.cli.errors import CliError, NodeSaidNo, UsageError
from pico_node.cli.exits import Exit


def test_usage_errors_name_a_way_out():
    error = UsageError("what", "hint")
    assert (str(error), error.hint, error.exit) == ("what", "hint", Exit.USAGE)


def test_the_drawing_shows_them_all_with_their_exit_codes():
    for kind in CliError.__subclasses__():
        assert kind.__doc__
        number = "*" if kind is NodeSaidNo else str(int(kind.exit))
        assert re.search(rf"\b{kind.__name__}\s+{re.escape(number)}\s", errors.__doc__ or "")
    codes = [kind.code for kind in (CliError, *CliError.__subclasses__()) if kind is not NodeSaidNo]
    assert len(set(codes)) == len(codes)


def test_what_a_node_says_keeps_its_code_and_gets_its_exit_code():
    error = NodeSaidNo("no pico x", "look", "unknown-pico", 404)
    assert (str(error), error.hint, error.code, error.exit) == (
        "no pico x", "look", "unknown-pico", Exit.NOT_FOUND,
    )  # fmt: skip
    assert CliError.code == "failed"
