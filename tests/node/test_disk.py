"""The free space of the disk reaches the engine."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pico_engine.disk import DiskRoom
from pico_node import disk
from pico_node.disk import DiskWatch


def test_it_looks_again_and_says_what_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    free: list[Any] = [5_000, 10, OSError("gone"), 20, 5_000]
    seen: list[bool] = []
    room = DiskRoom(1_000, lambda: None)
    engine: Any = SimpleNamespace(disk=room)

    def usage(folder: Path) -> Any:
        assert folder == tmp_path
        value = free.pop(0)
        if isinstance(value, OSError):
            raise value
        return SimpleNamespace(free=value)

    async def watch() -> None:
        watcher = DiskWatch(lambda: engine, tmp_path)
        watcher.start()
        while free:
            seen.append(room.is_full)
            await asyncio.sleep(0.001)
        watcher.stop()
        DiskWatch(lambda: None, tmp_path).start()  # a node that has given its agent up

    monkeypatch.setattr(disk, "LOOK_EVERY_S", 0.002)
    monkeypatch.setattr(shutil, "disk_usage", usage)
    with caplog.at_level(logging.INFO, "picomesh.disk"):
        asyncio.run(watch())
    assert True in seen
    assert not room.is_full
    said = [record.message for record in caplog.records]
    assert said == [
        "the disk has 10 bytes free: picos keep no more than they do",
        "the free space of the disk cannot be read: gone",
        "the disk has room again",
    ]
