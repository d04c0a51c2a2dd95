"""The README: its commands are taken, its Python runs, its story is the one that is tested."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from pico_engine.harness import Harness
from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.grammar import build_parser, parse
from pico_node.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SHELL = [line.strip() for line in README.split("\n") if line.startswith("    ")]
PICOMESH = [line for line in SHELL if line.startswith("picomesh ")]


def test_the_story_is_there() -> None:
    shown = {
        parse(build_parser(COMMANDS, GROUPS, COMMON), shlex.split(line)[1:])["command"].words[0]
        for line in PICOMESH
    }
    assert {"up", "pico", "ruleset", "channel", "invite", "accept", "connections", "query", "trace"} <= shown


@pytest.mark.parametrize("line", PICOMESH)
def test_a_command_is_one_that_is_taken(line: str) -> None:
    assert parse(build_parser(COMMANDS, GROUPS, COMMON), shlex.split(line)[1:])["command"] is not None


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {line.split()[1] for line in SHELL if line.startswith("make ")} == {"run", "test"}
    assert {"run", "test"} <= targets


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("python ")])
def test_a_script_is_there(line: str) -> None:
    assert (ROOT / shlex.split(line)[1]).is_file()


def test_the_ruleset_in_krl_does_what_the_one_in_python_does(tmp_path: Path, capsys, monkeypatch) -> None:
    (text,) = re.findall(r"```krl\n(.*?)```", README, re.DOTALL)
    pico = Harness(text)
    for celsius in (31, 32, 33):
        answer = pico.event("sensor:reading", celsius=celsius)
    assert answer.names == ["alarm"]
    assert pico.query("org.example.thermometer", "temperatures") == [31, 32, 33]
    assert pico.errors == []
    (tmp_path / "org.example.thermometer.krl").write_text(text)
    monkeypatch.chdir(tmp_path)
    for line in PICOMESH:
        if line.startswith("picomesh krl "):
            assert main(shlex.split(line)[1:]) == 0, line
    assert capsys.readouterr().out.endswith("  [\n    31\n  ]\n")


def test_the_ruleset_passes_its_test() -> None:
    ruleset, test = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    module = ModuleType("thermometer_of_the_readme")
    exec(ruleset + test, vars(module))  # the assertions are in the text
    assert vars(module)["answer"].names == ["alarm"]
