"""What a running command has at hand: its words and options, the way to the node, and how to print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pico_node.cli import output
from pico_node.cli.client import ROOT_PICO, Client


class Context:
    """`values` holds every argument and option of the command by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.home: Path = values["home"]
        self.as_json: bool = values["json"]
        self.client = Client(self.home, values["timeout"])

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    @property
    def pico(self) -> str:
        """The pico that the command is about, for a path: the root pico if none was named."""
        return self._values.get("pico") or ROOT_PICO

    def show(self, answer: Any, human: Callable[[Any], str]) -> None:
        output.show(answer, as_json=self.as_json, human=human)
