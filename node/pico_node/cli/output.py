"""What commands print: tables and texts for people, one JSON value for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pico_node.cli.errors import CliError

_ID_TAIL_CHARS = 6
_ID_SHOWN_CHARS = 28


def printable(value: object) -> str:
    """Text without control characters: a name or log entry of a stranger must not drive the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))


def short(did: object) -> str:
    """A long DID, cut in the middle; --json shows it whole."""
    text = printable(did)
    if len(text) <= _ID_SHOWN_CHARS:
        return text
    return f"{text[: _ID_SHOWN_CHARS - _ID_TAIL_CHARS - 1]}…{text[-_ID_TAIL_CHARS:]}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> str:
    """Aligned columns; `empty` is said when there are no rows."""
    lines = [[printable(cell) for cell in row] for row in rows]
    if not lines:
        return empty
    lines.insert(0, [heading.upper() for heading in headings])
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Lines of `name  value`; a list takes a line per item."""
    named = [(name, value if isinstance(value, list) else [value]) for name, value in pairs]
    width = max((len(name) for name, _ in named), default=0)
    lines = []
    for name, values in named:
        for position, value in enumerate(values or ["none"]):
            lines.append(f"{(name if position == 0 else '').ljust(width)}  {printable(value)}".rstrip())
    return "\n".join(lines)


def clock(ms: object) -> str:
    """A time in ms since 1970 as local time."""
    if not isinstance(ms, int | float):
        return printable(ms)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000)) + f".{int(ms) % 1000:03d}"


def show(answer: Any, *, as_json: bool, human: Callable[[Any], str]) -> None:
    """Print an answer."""
    print(json.dumps(answer, ensure_ascii=False) if as_json else human(answer))


def show_error(error: CliError, *, as_json: bool) -> None:
    """Print an error on standard error: for programs as one JSON object."""
    if as_json:
        told = {"code": error.code, "exit": int(error.exit), "message": error.what, "hint": error.hint}
        print(json.dumps({"error": told}, ensure_ascii=False), file=sys.stderr)
    else:
        print(f"picomesh: {printable(error.what)}\n  {printable(error.hint)}", file=sys.stderr)


def room() -> tuple[int, int]:
    """Columns and lines of the terminal; none if standard output is no terminal."""
    if not sys.stdout.isatty():
        return 0, 0
    size = os.get_terminal_size(sys.stdout.fileno())
    return size.columns, size.lines
