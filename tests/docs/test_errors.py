"""The reference of errors has every error: its code, its class, its status or problem code."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import pico_didcomm
import pico_engine
import pico_node
import pico_rulesets
from pico_didcomm.errors import DidcommError
from pico_engine.errors import EngineError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text()
PACKAGES = (pico_engine, pico_didcomm, pico_rulesets, pico_node)


def every(error: type[Exception]) -> Iterator[type[Exception]]:
    """The class and all below it; those that tests define are left out."""
    if error.__module__.split(".")[0] in {package.__name__ for package in PACKAGES}:
        yield error
    for child in error.__subclasses__():
        yield from every(child)


def all_errors() -> list[type[Exception]]:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            import_module(module.name)
    return [*every(EngineError), *every(DidcommError)]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: f"{error.__module__}.{error.__name__}")
def test_every_error_is_in_the_page(error: type[Exception]) -> None:
    number = f"`{error.problem_code}`" if issubclass(error, DidcommError) else str(error.status)
    row = re.search(rf"^\| `{error.code}` \| `{error.__name__}` \| {re.escape(number)} \| (.+) \| (.+) \|$",
                    PAGE, re.MULTILINE)  # fmt: skip
    assert row is not None, f"no row `{error.code}` | `{error.__name__}` | {number}"


def test_no_row_without_an_error() -> None:
    rows = set(re.findall(r"^\| `([\w-]+)` \| `(\w+)` \|", PAGE, re.MULTILINE))
    assert rows == {(error.code, error.__name__) for error in all_errors()}


def test_what_has_no_class_is_told() -> None:
    assert "`too-many-connections`" in PAGE
    assert b"too-many-connections" in import_module("pico_node.http.site")._FULL_BODY
