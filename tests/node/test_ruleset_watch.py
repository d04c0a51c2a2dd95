"""Files of rulesets that change while the node runs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from pico_engine.errors import BadRequest
from pico_node.ruleset_watch import FileWatch


class Flushed:
    """A node that notes what it is told to flush."""

    def __init__(self, *files: Path) -> None:
        self.urls = [file.as_uri() for file in files] + ["https://example.org/a.krl"]
        self.flushed: list[str] = []
        self.fails = False

    async def command(self, name: str, /, **parameters: Any) -> Any:
        if name == "ruleset_urls":
            return [{"url": url} for url in self.urls]
        assert name == "ruleset_flush"
        self.flushed.append(parameters["url"])
        if self.fails:
            raise BadRequest("a.krl:1:1: expected `ruleset`")
        return {"rid": "test.a"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a b.krl"
    file.write_text("1")
    return file


async def test_a_changed_file_is_flushed_once(file: Path) -> None:
    node = Flushed(file)
    watch = FileWatch(node)  # type: ignore[arg-type]  # all that it asks for is there
    await watch.look()
    await watch.look()
    assert node.flushed == []
    file.write_text("22")
    await watch.look()
    await watch.look()
    assert node.flushed == [file.as_uri()]


async def test_a_file_that_is_gone_for_a_moment_is_not_flushed(file: Path) -> None:
    node = Flushed(file)
    watch = FileWatch(node)  # type: ignore[arg-type]  # as above
    await watch.look()
    file.unlink()
    await watch.look()
    assert node.flushed == []
    file.write_text("333")
    await watch.look()
    assert node.flushed == [file.as_uri()]


async def test_what_is_wrong_is_told_in_the_log(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    node = Flushed(file)
    node.fails = True
    watch = FileWatch(node)  # type: ignore[arg-type]  # as above
    await watch.look()
    file.write_text("22")
    with caplog.at_level(logging.ERROR, "picomesh.rulesets"):
        await watch.look()
    assert "expected `ruleset`" in caplog.text
    assert "the old version runs on" in caplog.text


async def test_it_looks_by_itself_until_it_is_stopped(file: Path) -> None:
    node = Flushed(file)
    watch = FileWatch(node, every_s=0.005)  # type: ignore[arg-type]  # as above
    watch.start()
    await asyncio.sleep(0.05)
    file.write_text("22")
    async with asyncio.timeout(10):
        while not node.flushed:
            await asyncio.sleep(0.005)
    await watch.stop()
