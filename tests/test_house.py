"""The rules of the house: sizes, words, a test module for every module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "engine": ROOT / "engine" / "pico_engine",
    "native": ROOT / "engine" / "pico_native",
    "didcomm": ROOT / "didcomm" / "pico_didcomm",
    "rulesets": ROOT / "rulesets" / "pico_rulesets",
    "node": ROOT / "node" / "pico_node",
    "simnet": ROOT / "simnet" / "pico_simnet",
}
MODULES = [(room, path) for room, package in PACKAGES.items() for path in sorted(package.rglob("*.py"))]
IDS = [f"{room}/{path.relative_to(PACKAGES[room])}" for room, path in MODULES]

FILE_MAX_LINES = 500
FUNCTION_MAX_LINES = 60
"""A screen: beyond it, look for the idea that is missing."""

TESTED_ELSEWHERE = {
    # Says only what is in the package.
    "__init__.py",
    # `python -m …`: two lines.
    "__main__.py",
    # The acceptance tests of stores, which are run by test_store.py.
    "engine/testing.py",
}

FORBIDDEN = re.compile(r"\b(TODO|FIXME|XXX|TBD|HACK|simplified)\b")
"""Words of what is not finished."""


def _words(path: Path) -> list[str]:
    return FORBIDDEN.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("room", "path"), MODULES, ids=IDS)
def test_a_module_says_what_it_is_for_and_fits(room: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    doc = ast.get_docstring(tree)
    assert doc, "a module says in one line what it is for"
    assert len(text.splitlines()) < FILE_MAX_LINES
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_MAX_LINES
    ]
    assert long == []
    assert _words(path) == []


@pytest.mark.parametrize(("room", "path"), MODULES, ids=IDS)
def test_every_module_has_its_test_module(room: str, path: Path) -> None:
    """tests/ROOM/SAME/PATH/test_NAME.py; for a package's protocols, a test of the package will do."""
    inside = path.relative_to(PACKAGES[room])
    if inside.name in TESTED_ELSEWHERE or f"{room}/{inside}" in TESTED_ELSEWHERE:
        return
    folder = ROOT / "tests" / room / inside.parent
    found = sorted(folder.glob(f"test_{inside.stem.lstrip('_')}*.py"))
    assert found, f"no {folder.relative_to(ROOT)}/test_{inside.stem}.py"


def test_no_test_module_is_for_a_module_that_is_gone_from_the_exceptions() -> None:
    for name in TESTED_ELSEWHERE:
        if "/" in name:
            room, _, inside = name.partition("/")
            assert (PACKAGES[room] / inside).exists(), name
