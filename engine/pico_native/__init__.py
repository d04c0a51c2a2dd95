"""The engine's busiest modules, compiled: `python -m pico_native` makes them, and then they are used.

The engine is plain Python and needs nothing of this. Where a C compiler is at hand, mypyc translates the
modules that every event goes through. What it made lies in `built/`, and counts only as long as no text of
the engine has changed since. Else, and when PICOMESH_PURE_PYTHON is set, Python runs the texts themselves.

`pico_engine` imports this package before any of its modules; that is all it knows of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import source_hash, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

MODULES: Final = (
    "admission",
    "engine",
    "event_message",
    "events",
    "ledger",
    "pico",
    "queue",
    "runner",
    "turn",
    "variables",
)
"""Of `pico_engine`: what every event goes through."""
SHARED: Final = "pico_engine_native__mypyc"
"""The module that holds what was compiled; those of the engine's names are doors into it."""
SWITCH: Final = "PICOMESH_PURE_PYTHON"
"""The environment variable that turns compiled modules off when it is set to anything."""
INDEX: Final = "index.json"
SOURCES: Final = Path(__file__).parents[1] / "pico_engine"
BUILT: Final = Path(__file__).parent / "built"


def folder() -> Path:
    """Where this Python's compiled modules lie."""
    return BUILT / EXTENSION_SUFFIXES[0].strip(".").removesuffix(".so")


def digest_of_sources(sources: Path = SOURCES) -> str:
    """Changes with every text that the compiled modules were made from, or that these rely on."""
    texts = b"".join(path.read_bytes() for path in sorted(sources.glob("*.py")))
    return source_hash(texts).hex()


def compiled_modules(made: Path, digest: str) -> Mapping[str, Path]:
    """Files of compiled modules by module name; none when there are none, or for other texts."""
    try:
        index = json.loads((made / INDEX).read_bytes())
        if index["sources"] != digest:
            return {}
        files: dict[str, Path] = {name: made / file for name, file in index["modules"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}
    return files if all(file.exists() for file in files.values()) else {}


class Finder:
    """Finds compiled modules before Python looks for their texts (a meta path finder)."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        file = self.files.get(name)
        return None if file is None else spec_from_file_location(name, file)


def _install() -> bool:
    if os.environ.get(SWITCH) or not folder().is_dir():
        return False
    files = compiled_modules(folder(), digest_of_sources())
    if files:
        sys.meta_path.insert(0, Finder(files))
    return bool(files)


IS_USED: Final = _install()
"""Does this process run compiled modules?"""
