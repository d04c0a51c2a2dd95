"""Names and numbers that are agreed: the documentation tells them as they are."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

from pico_node import names

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_it_imports_nothing():
    """The command line reads it on every start."""
    tree = ast.parse(Path(names.__file__).read_text())
    found = [one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom)]
    assert [one.module for one in found if isinstance(one, ast.ImportFrom)] == ["__future__"]
    assert len(found) == 1


def test_files_of_a_home_are_plain_names_and_apart():
    files = [names.NODE_FILE_NAME, names.TOKEN_FILE_NAME, names.RULESETS_FOLDER_NAME]
    assert len(set(files)) == len(files)
    assert all(Path(one).name == one for one in files)


def test_the_port_that_the_documentation_tells():
    assert 1024 <= names.HTTP_PORT_DEFAULT <= 49_151  # neither privileged nor ephemeral
    assert f"`127.0.0.1:{names.HTTP_PORT_DEFAULT}`" in (REFERENCE / "http.md").read_text()


def test_log_levels_are_those_of_the_standard_library_from_loud_to_quiet():
    levels = [logging.getLevelNamesMapping()[one.upper()] for one in names.LOG_LEVELS]
    assert levels == sorted(set(levels))
