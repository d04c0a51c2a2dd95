"""Compiled code in the home: kept privately, lost without harm."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pico_node import code_cache
from pico_node.code_cache import CodeCache


def test_what_was_written_is_read_by_its_owner_only(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path / "cache" / "krl")
    assert cache.read("a") is None
    cache.write("a", b"code")
    assert CodeCache(tmp_path / "cache" / "krl").read("a") == b"code"
    assert stat.S_IMODE((tmp_path / "cache" / "krl").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "cache" / "krl" / "a").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = CodeCache(tmp_path / "file")
    cache.write("a", b"code")
    assert cache.read("a") is None


def test_the_oldest_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_cache, "FILES_MAX", 10)
    for number in range(20):
        (tmp_path / f"{number:02}").write_bytes(b"x")
    CodeCache(tmp_path).write("new", b"y")
    names = {file.name for file in tmp_path.iterdir()}
    assert "new" in names
    assert len(names) == 11
