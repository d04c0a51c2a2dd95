"""A throw-away pico for KRL files: finds the rulesets they use, and says errors with their lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pico_engine.errors import EgressDenied, FetchFailed
from pico_engine.harness import Harness, Outside, VirtualClock, in_order_of_use
from pico_engine.krl import KrlSyntaxError, compile_ruleset
from pico_engine.krl.diagnostics import harmless
from pico_engine.krl.program import CompiledRuleset
from pico_engine.messages import HttpCall, RulesetCall
from pico_engine.values import Json
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.output import printable

ALWAYS = ("io.picolabs.wrangler", "io.picolabs.subscription")
"""What every pico of a node has."""
BUILT_IN = {
    "io.picolabs.wrangler": "pico_rulesets.wrangler:Wrangler",
    "io.picolabs.subscription": "pico_rulesets.subscription:Subscription",
    "io.picolabs.pds": "pico_rulesets.pds:Pds",
    "io.picolabs.pico-engine-ui": "pico_rulesets.ui:EngineUi",
}
FILE_MAX_BYTES = 131_072
"""As the engine's `ruleset_max_bytes`: what is larger could not be installed."""
_RID = re.compile(r"\bruleset\s+([A-Za-z_][\w.-]*)")
_PLACE = re.compile(r"([\w.-]+)\.krl:(\d+):(\d+): ")


class Source(NamedTuple):
    """A ruleset's file, as the command line names it, with its text and what it compiles to."""

    path: Path
    shown: str
    text: str
    compiled: CompiledRuleset

    @property
    def rid(self) -> str:
        return self.compiled.definition.rid


class Sources:
    """Rulesets from files, with those that they use: modules first."""

    def __init__(self, files: Iterable[str], *, as_json: bool) -> None:
        """Raises UsageError for files that are missing, CliError for mistakes in KRL (told on stderr)."""
        self._as_json = as_json
        self._found: dict[str, Source] = {}
        self.given = [self._take(Path(file), file).rid for file in files]
        self.python: list[str] = list(ALWAYS)
        for rid in list(self._found):
            self._find_modules(self._found[rid])
        order = in_order_of_use([one.compiled.definition for one in self._found.values()])
        self.all = [self._found[rid] for rid in order]

    def __getitem__(self, rid: str) -> Source:
        return self._found[rid]

    def _take(self, path: Path, shown: str) -> Source:
        text = read_source(path)
        try:
            compiled = compile_ruleset(text, url=shown)
        except KrlSyntaxError as error:
            told = "\n".join(one.render(text, shown) for one in error.diagnostics)
            if not self._as_json:
                print(told, file=sys.stderr)
            what = told if self._as_json else f"{shown} cannot be compiled"
            raise CliError(what, "correct what is told, and try again") from None
        source = Source(path.absolute(), shown, text, compiled)
        other = self._found.setdefault(source.rid, source)
        if other.path != source.path:
            raise UsageError(
                f"{other.shown} and {shown} are both {source.rid}", "name one of them, or change its id"
            )
        return other

    def _find_modules(self, user: Source) -> None:
        for rid in user.compiled.uses:
            if rid in self._found or rid in self.python:
                continue
            path = user.path.parent / f"{rid}.krl"
            if not path.is_file():
                path = _file_of(rid, user.path.parent) or path
            if path.is_file():
                self._find_modules(self._take(path, str(Path(user.shown).parent / path.name)))
            elif rid in BUILT_IN:
                self.python.append(rid)
            else:
                raise UsageError(
                    f"{user.shown} uses the module {rid}, and no file beside it has that ruleset",
                    f"name the file of {rid} as well",
                )

    def pico(
        self,
        config: Mapping[str, Json] | None = None,
        *,
        seed: str,
        clock: VirtualClock | None = None,
        outside: Outside | None = None,
    ) -> Harness:
        """A new pico with all of them. Raises EngineError."""
        classes = [_class(rid) for rid in self.python]
        ask = self._outside(outside)
        pico = Harness(*classes, seed=seed, clock=clock, outside=ask)
        for one in self.all:
            pico.install(one.path, config)
        return pico

    def _outside(self, web: Outside | None) -> Outside:
        """Rulesets come from the folders of the files; all else is for `web`."""
        folders = {one.path.parent.resolve() for one in self.all}

        def ask(call: HttpCall | RulesetCall) -> Json:
            if isinstance(call, RulesetCall) and call.url.startswith("file:"):
                path = Path(unquote(urlsplit(call.url).path)).resolve()
                if path.parent not in folders:
                    raise EgressDenied(f"{path} is in no folder of the files at hand")
                try:
                    return read_source(path)
                except UsageError as error:
                    raise FetchFailed(error.what) from None
            if web is None:
                raise EgressDenied("rulesets ask nothing outside here", "allow it: --allow-host HOST")
            return web(call)

        return ask

    def located(self, text: str) -> dict[str, Any]:
        """A runtime error with its place: text, and where it is known file, line, column, source."""
        place = _PLACE.search(text)
        source = self._found.get(place[1]) if place else None
        if place is None or source is None:
            return {"text": text}
        line, column = int(place[2]), int(place[3])
        lines = source.text.split("\n")
        shown = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
        return {
            "text": text[: place.start()] + text[place.end() :],
            "file": source.shown,
            "line": line,
            "column": column,
            "source": shown,
        }

    def warnings(self) -> list[str]:
        """What the compiler has to say, as it is shown."""
        return [warning.render(one.text, one.shown) for one in self.all for warning in one.compiled.warnings]


def show_located(told: Mapping[str, Any]) -> str:
    """A located error for people: the place, the line, a mark below the column."""
    if "file" not in told:
        return f"error: {printable(told['text'])}"
    source = str(told["source"])
    blank = "".join("\t" if char == "\t" else " " for char in source[: told["column"] - 1])
    first = f"{told['file']}:{told['line']}:{told['column']}: error: {printable(told['text'])}"
    return "\n".join(harmless(line) for line in (first, f"  {source}", f"  {blank}^"))


def read_source(path: Path) -> str:
    """The text of a file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", "name a file with a ruleset in KRL"
        ) from None
    if len(data) > FILE_MAX_BYTES:
        raise UsageError(f"{path} is larger than {FILE_MAX_BYTES:,} bytes", "split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}", "save it as UTF-8") from None


def _file_of(rid: str, folder: Path) -> Path | None:
    """The file of a folder that begins with this ruleset, whatever its name is."""
    for path in sorted(folder.glob("*.krl")):
        try:
            found = _RID.search(read_source(path))
        except UsageError:
            continue
        if found is not None and found[1] == rid:
            return path
    return None


def _class(rid: str) -> Any:
    module, _, name = BUILT_IN[rid].partition(":")
    return getattr(import_module(module), name)
