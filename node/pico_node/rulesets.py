"""Finding rulesets written in Python: installed packages, and files in the owner's own folder.

Both are trusted code: it runs with all rights of the node. Nothing is ever loaded from anywhere else.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator
from hashlib import blake2b
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from pico_engine.errors import RulesetDefinitionError
from pico_engine.registry import Registry
from pico_engine.ruleset import Ruleset

log = logging.getLogger("picomesh.rulesets")

GROUP = "picomesh.rulesets"
"""Entry points of this group name ruleset classes."""


def load_rulesets(registry: Registry, folder: Path) -> list[str]:
    """Make all rulesets known that can be found; answers what could not be loaded, and why.

    One that fails does not keep the others away. A file that changed replaces what it defined before; an id
    that a package or another file has already stays with that one.
    """
    problems = []
    owners: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        try:
            owners[registry.add(point.load()).rid] = f"{point.name} of {point.value}"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a package's code may fail in any way
            problems.append(f"ruleset {point.name} of {point.value}: {_words(error)}")
    for path in sorted(folder.glob("*.py")):
        try:
            for ruleset in _rulesets_in(_load_file(path)):
                rid = ruleset.definition.rid
                owner = owners.setdefault(rid, str(path))
                if owner == str(path):
                    registry.add(ruleset, replace=True)
                else:
                    problems.append(f"{path}: the id {rid} belongs to {owner} already; give it another rid")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            problems.append(f"{path}: {_words(error)}")
    for problem in problems:
        log.error("cannot load %s", problem)
    return problems


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _load_file(path: Path) -> ModuleType:
    """The module of a ruleset file; loaded anew when its text has changed."""
    text = path.read_bytes()
    name = f"picomesh_ruleset_{path.stem}_{blake2b(text, digest_size=6).hexdigest()}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RulesetDefinitionError(f"{path} cannot be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _rulesets_in(module: ModuleType) -> Iterator[type[Ruleset]]:
    for value in vars(module).values():
        ours = isinstance(value, type) and issubclass(value, Ruleset) and value.__module__ == module.__name__
        if ours and "definition" in vars(value):
            yield value
