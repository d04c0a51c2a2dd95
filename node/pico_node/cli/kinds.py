"""Kinds of option values: from the text of an option or environment variable, or a value of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw]?)")
_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*):([0-9]{1,5})")
PORT_MAX = 65_535


class Kind(NamedTuple):
    """`read` turns a value into what the command gets; it raises ValueError. `wanted` is told then."""

    name: str
    wanted: str
    read: Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - the one error of this function
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = _text(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(_text(value))


def _duration(value: Any) -> int:
    match = _DURATION.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError
    return int(match[1]) * _SECONDS[match[2] or "s"]


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError("nested too deep") from None


def _json_map(value: Any) -> dict[str, Any]:
    data = _json(value)
    if not isinstance(data, dict):
        raise ValueError  # noqa: TRY004 - the one error of this function
    return data


def _address(value: Any) -> tuple[str, int]:
    match = _HOST_AND_PORT.fullmatch(_text(value).strip())
    if match is None or int(match[2]) > PORT_MAX:
        raise ValueError
    return match[1].strip("[]") or "127.0.0.1", int(match[2])


def _path(value: Any) -> Path:
    if not _text(value):
        raise ValueError
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:  # ~somebody whom this machine does not know
        raise ValueError("nobody of this name has a home") from None


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return text


TEXT = Kind("text", "text", _text)
FLAG = Kind("flag", "true or false", _flag)
WHOLE = Kind("number", "a whole number", _whole)
DURATION = Kind("duration", "a number of seconds, or like 90s, 30m, 12h, 7d", _duration)
JSON = Kind("json", "JSON", _json)
JSON_MAP = Kind("json", "a JSON object", _json_map)
ADDRESS = Kind("host:port", "of the form HOST:PORT, like 127.0.0.1:4200", _address)
PATH = Kind("path", "a path", _path)
URL = Kind("url", "an http or https URL without query", _url)
