"""Exit codes: each has a meaning, and every problem of a node leads to one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_node.cli.exits import MEANINGS, Exit, exit_for_problem


def test_the_numbers_are_a_contract():
    assert {one.name: int(one) for one in Exit} == {
        "OK": 0, "FAILED": 1, "USAGE": 2, "NODE_NOT_RUNNING": 3, "REFUSED": 4, "NOT_FOUND": 5, "LIMIT": 6,
        "NODE_ERROR": 7, "TIMEOUT": 8, "TRY_LATER": 9, "INTERRUPTED": 130,
    }  # fmt: skip


def test_every_exit_code_has_a_meaning():
    assert set(MEANINGS) == set(Exit)
    assert len(set(MEANINGS.values())) == len(Exit)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("busy", 503, Exit.TRY_LATER),
        ("unknown", 500, Exit.NODE_ERROR),
        ("unknown", 404, Exit.NOT_FOUND),
        ("store-full", 507, Exit.LIMIT),
        ("wait-timeout", 504, Exit.TIMEOUT),
        ("unknown", 401, Exit.REFUSED),
        ("unknown", 999, Exit.NODE_ERROR),
    ],
)
def test_the_code_counts_before_the_status(code, status, expected):
    assert exit_for_problem(code, status) == expected


@given(st.text(), st.integers())
def test_no_problem_looks_like_success(code, status):
    assert exit_for_problem(code, status) not in (Exit.OK, Exit.INTERRUPTED, Exit.NODE_NOT_RUNNING)
