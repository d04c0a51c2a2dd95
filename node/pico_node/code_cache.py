"""Compiled KRL rulesets in the home's cache folder, so that a node which starts again compiles nothing again.

The folder may be deleted at any time. What is in it is code: it is readable and writable by its owner only.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

FILES_MAX = 2_000
"""A file has about as many bytes as ten times its source; when there are more, the oldest half goes."""


class CodeCache:
    """`read` and `write` by key, as `krl.CompileCache` wants them. Failing to keep is no error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0

    def read(self, key: str) -> bytes | None:
        try:
            return (self._folder / key).read_bytes()
        except OSError:
            return None

    def write(self, key: str, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")  # 0600
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(self._folder / key)

    def _make_room(self) -> None:
        self._written += 1
        if self._written % 100 != 1:
            return
        files = sorted(self._folder.iterdir(), key=lambda one: one.stat().st_mtime)
        if len(files) > FILES_MAX:
            for file in files[: len(files) // 2]:
                file.unlink(missing_ok=True)
