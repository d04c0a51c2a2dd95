"""The page of dependencies names each, with the licence that its own metadata tells."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUN_TIME = [re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"]]
DEVELOPMENT = [re.match(r"[\w-]+", line)[0] for line in PROJECT["optional-dependencies"]["dev"]]
FAMILIES = ("MIT", "BSD", "Apache", "MPL", "LGPL", "PSF", "ISC")


def row(part: str, name: str) -> list[str]:
    found = re.search(rf"^\| {re.escape(name)} \| (.+) \|$", part, re.MULTILINE)
    assert found is not None, f"no row for {name}"
    return found[1].split(" | ")


@pytest.mark.parametrize("name", RUN_TIME)
def test_every_dependency_has_a_row_and_a_reason(name: str) -> None:
    assert len(row(PAGE.split("## At run time")[1].split("### ")[0], name)) == 4
    assert f"**{name}.**" in PAGE


@pytest.mark.parametrize("name", DEVELOPMENT)
def test_every_tool_has_a_row(name: str) -> None:
    assert len(row(PAGE.split("## For development")[1].split("\n## ")[0], name)) == 4


@pytest.mark.parametrize("name", [*RUN_TIME, *DEVELOPMENT])
def test_the_licence_is_that_of_the_metadata(name: str) -> None:
    facts = metadata(name)
    told = [facts.get("License-Expression") or "", (facts.get("License") or "").split("\n")[0]]
    told += [one for one in facts.get_all("Classifier") or [] if one.startswith("License")]
    in_metadata = {family for family in FAMILIES if any(family in text for text in told)}
    in_page = {family for family in FAMILIES if family in row(PAGE, name)[0]}
    assert in_page == in_metadata


def test_nothing_is_listed_that_is_not_a_dependency() -> None:
    listed = re.findall(r"^\| ([\w-]+) \| [^|]+ \| (?:yes|no|not)[^|]* \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted([*RUN_TIME, *DEVELOPMENT])
