"""KRL files that a command names: single ones, those of folders, or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pico_node.cli.errors import UsageError

STANDARD_INPUT = "-"
SUFFIX = ".krl"
FILE_MAX_BYTES = 131_072
"""As the engine's `ruleset_max_bytes`: what is larger could not be installed."""


class KrlFile(NamedTuple):
    """A file as it was named, and its text with the line ends that it has."""

    name: str
    text: str


def read_files(names: Iterable[str]) -> Iterator[KrlFile]:
    """The files, each once; of a folder all that end in `.krl`, by name. Raises UsageError."""
    paths = list(dict.fromkeys(path for name in names for path in _paths(name)))
    if not paths:
        raise UsageError("no KRL file is named", "name files or folders with such, or `-` for standard input")
    for path in paths:
        yield KrlFile(path, _read(path))


def _paths(name: str) -> list[str]:
    if name != STANDARD_INPUT and Path(name).is_dir():
        return [str(one) for one in sorted(Path(name).rglob(f"*{SUFFIX}")) if one.is_file()]
    return [name]


def _read(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(FILE_MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", "name a readable file") from None
    if len(data) > FILE_MAX_BYTES:
        raise UsageError(f"{name} is larger than {FILE_MAX_BYTES:,} bytes", "split it into modules")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name} is not UTF-8, from line {line} on", "store it as UTF-8") from None


def replace_file(name: str, text: str) -> None:
    """Write a file anew at once, with the rights that it has: nobody sees half of it. Raises OSError."""
    target = Path(name).resolve()  # what a link leads to, not the link
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
            file.write(text)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
