"""The reference of the owner's commands names every command and every parameter."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pico_node.agent.commands import Commands

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text()
COMMANDS = sorted(name.removeprefix("do_") for name in vars(Commands) if name.startswith("do_"))
STATUS_OF_THE_PROCESS = ("version", "pid", "home", "http", "uptime_s", "store")
"""Fields that the node adds to the agent's."""


def section(command: str) -> str:
    found = re.search(rf"^### {command}\n(.*?)(?=^##)", PAGE + "\n## end", re.DOTALL | re.MULTILINE)
    assert found is not None, f"no section {command}"
    return found[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_with_its_parameters(command: str) -> None:
    text = section(command)
    parameters = list(inspect.signature(getattr(Commands, f"do_{command}")).parameters.values())
    for parameter in parameters:
        if parameter.name in ("self", "reply", "_reply"):
            continue
        if parameter.default is parameter.empty:
            assert f"`{parameter.name}`" in text, parameter.name
        else:
            default = "null" if parameter.default is None else parameter.default
            shown = f'"{default}"' if isinstance(default, str) and default != "null" else str(default)
            assert f"`{parameter.name}={shown}`" in text, parameter.name


def test_no_other_command_is_promised() -> None:
    assert set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == {*COMMANDS, "ruleset_load"}


def test_every_field_of_the_status_is_there() -> None:
    source = inspect.getsource(Commands.do_status)
    fields = {*re.findall(r'"(\w+)":', source), *STATUS_OF_THE_PROCESS}
    assert [field for field in fields if f"| `{field}` |" not in section("status")] == []


def test_every_field_of_a_connection_is_there() -> None:
    from pico_node.agent.handshake import Handshake

    fields = re.findall(r'^ {12}"(\w+)":', inspect.getsource(Handshake.describe), re.MULTILINE)
    part = PAGE.split("\n## Connections\n")[1].split("\n### ")[0]
    assert len(fields) > 10
    assert [field for field in fields if f"`{field}`" not in part] == []
