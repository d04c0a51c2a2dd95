"""The command line against a real HTTP server with a fake node, in a home of its own."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pico_node.cli.main import main
from pico_node.http.app import make_app, serve
from tests.node.http.helpers import TOKEN, FakeNode


@dataclass
class Shell:
    """Runs commands; remembers what they printed."""

    home: Path
    node: FakeNode
    capsys: pytest.CaptureFixture[str]

    async def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        code = await asyncio.to_thread(main, list(words))
        return (code, *self.capsys.readouterr())

    async def json(self, *words: str) -> tuple[int, Any]:
        """Exit code and the one JSON value that was printed."""
        code, out, error = await self.run(*words, "--json")
        return code, json.loads(out or error)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PICOMESH_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
async def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shell]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PICOMESH_HOME", str(home))
    node = FakeNode()
    runner, address = await serve(make_app(node, token=TOKEN), "127.0.0.1", 0)
    (home / "token").write_text(TOKEN + "\n")
    (home / "node.json").write_text(json.dumps({"http": address.url, "pid": os.getpid()}))
    yield Shell(home, node, capsys)
    await runner.cleanup()
