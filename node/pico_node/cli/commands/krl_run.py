"""`krl run`: a KRL ruleset in a throw-away pico in memory; events and queries from words or from lines."""

from __future__ import annotations

import json
import secrets
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pico_node.cli.commands.messages import read_pairs
from pico_node.cli.context import Context
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.exits import Exit
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import DURATION, JSON_MAP, TEXT, Kind
from pico_node.cli.output import printable

if TYPE_CHECKING:
    from pico_engine.harness import Harness, Outside
    from pico_node.cli.krl_pico import Sources

KINDS = ("event", "query", "wait")
PROMPT = "krl> "
HELP = """event DOMAIN:TYPE [KEY=VALUE …]    send an event
query [RID/]NAME [KEY=VALUE …]     ask a query
wait 90s                           let time pass; also 30m, 12h, 7d
quit"""


def _time(value: Any) -> int:
    """Milliseconds since 1970, from a number or ISO 8601; without a zone it is UTC."""
    text = str(value).strip()
    if text.isascii() and text.isdigit():
        return int(text)
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000)


TIME = Kind("time", "a time like 2026-01-31T12:00:00Z, or milliseconds since 1970", _time)


class Step(NamedTuple):
    """One thing to do: its kind, and the words behind it."""

    kind: str
    words: list[str]

    @property
    def told(self) -> str:
        return shlex.join([self.kind, *self.words])


def run(context: Context) -> int:
    """Answers 7 when a rule or a query failed, else 0."""
    files, words = split(context["words"])
    steps = read_steps(words)
    from pico_engine.errors import EngineError
    from pico_node.cli.krl_pico import Sources

    sources = Sources([context["file"], *files], as_json=context.as_json)
    try:
        pico = sources.pico(
            context["config"],
            seed=context["entropy"] or secrets.token_hex(16),
            clock=_clock(context["now"]),
            outside=_web(context["allow_host"]),
        )
    except EngineError as error:
        raise CliError(error.what, error.hint) from None
    runner = Runner(sources, pico, real_time=context["now"] is None)
    if not context.as_json:
        for text in sources.warnings():
            print(text, file=sys.stderr)
    done = []
    for step in steps or _lines(patient=not context.as_json):
        told = runner.run(step)
        done.append(told)
        if not context.as_json:
            print(show(told), flush=True)
    if context.as_json:
        answer = {"rulesets": sources.given, "warnings": sources.warnings(), "steps": done}
        context.show(answer, str)
    return Exit.NODE_ERROR if any(one["errors"] for one in done) else Exit.OK


def _clock(now: int | None) -> Any:
    from pico_engine.harness import VirtualClock

    return VirtualClock(round(time.time() * 1_000) if now is None else now)


def _web(hosts: tuple[str, ...] | None) -> Outside | None:
    if not hosts:
        return None
    from pico_node.cli.krl_web import Web

    return Web(hosts)


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Files, and behind them the words of the steps."""
    for number, word in enumerate(words):
        if word in KINDS:
            return words[:number], words[number:]
    return words, []


def read_steps(words: list[str]) -> list[Step]:
    """Steps from words: each begins with its kind. Raises UsageError."""
    steps: list[Step] = []
    for word in words:
        if word in KINDS:
            steps.append(Step(word, []))
        elif steps:
            steps[-1].words.append(word)
        else:
            raise UsageError(f"{word!r} is no step", f"begin it with one of {', '.join(KINDS)}")
    for step in steps:
        if not step.words:
            raise UsageError(f"`{step.kind}` of what?", HELP.splitlines()[KINDS.index(step.kind)])
    return steps


def _lines(*, patient: bool) -> Iterator[Step]:
    """Steps from the lines of standard input; a terminal gets a prompt, and forgives. Raises UsageError."""
    asked = patient and sys.stdin.isatty()
    while True:
        if asked:
            print(PROMPT, end="", flush=True)
        line = sys.stdin.readline()
        if not line or line.strip() in ("quit", "exit"):
            if asked and not line:
                print()
            return
        try:
            words = shlex.split(line, comments=True)
            if words == ["help"]:
                print(HELP)
                continue
            yield from read_steps(words)
        except (ValueError, UsageError) as error:
            problem = error if isinstance(error, UsageError) else UsageError(f"{line.strip()}: {error}", HELP)
            if not asked:
                raise problem from None
            print(f"{printable(problem.what)}\n{problem.hint}")


class Runner:
    """Runs steps in one pico, and tells what came of each."""

    def __init__(self, sources: Sources, pico: Harness, *, real_time: bool) -> None:
        self._sources = sources
        self._pico = pico
        self._begun = time.monotonic() if real_time else None
        self._began_ms = pico.clock.now
        self._waited_ms = 0

    def run(self, step: Step) -> dict[str, Any]:
        """`{step, errors, log}`, and of an event `eid` and `directives`, of a query `result`."""
        from pico_engine.errors import EngineError

        bench = self._pico.bench
        if self._begun is not None:
            passed = round((time.monotonic() - self._begun) * 1_000) + self._waited_ms
            self._pico.clock.now = max(self._pico.clock.now, self._began_ms + passed)
        before = len(bench.log)
        told: dict[str, Any] = {"step": step.told}
        errors: list[dict[str, Any]] = []
        try:
            told |= getattr(self, f"_{step.kind}")(step)
        except EngineError as error:
            errors = [self._sources.located(str(error)) | {"hint": error.hint}]
        log = [
            {"level": line.level, "rid": line.rid, "text": line.text, "data": line.data}
            for line in bench.log[before:]
        ]
        told["log"] = [line for line in log if line["level"] != "error"]
        told["errors"] = [self._error(line) for line in log if line["level"] == "error"] + errors
        return told

    def _error(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {"rid": line["rid"], **self._sources.located(line["text"])}

    def _event(self, step: Step) -> dict[str, Any]:
        answer = self._pico.event(step.words[0], read_pairs(step.words[1:]))
        (trace,) = self._pico.traces(1)
        rules = [f"{one['rid']}/{one['rule']}" for one in trace["rules"] if one["outcome"] == "fired"]
        return {"eid": answer.eid, "directives": answer.directives, "fired": rules}

    def _query(self, step: Step) -> dict[str, Any]:
        rid, _, name = step.words[0].rpartition("/")
        args = read_pairs(step.words[1:])
        self._pico.bench.run()
        return {"result": self._pico.bench.query(self._pico.did, rid or self._who_shares(name), name, args)}

    def _who_shares(self, name: str) -> str:
        shared = {}
        for rid in self._sources.given:
            functions = self._sources[rid].compiled.definition.functions
            shared[rid] = [one for one, function in functions.items() if function.shared]
            if name in shared[rid]:
                return rid
        known = ", ".join(one for names in shared.values() for one in names)
        raise UsageError(f"no ruleset here shares {name}", f"there are {known}")

    def _wait(self, step: Step) -> dict[str, Any]:
        try:
            seconds = DURATION.read(step.words[0])
        except ValueError:
            raise UsageError(f"cannot wait {step.words[0]!r}", f"write {DURATION.wanted}") from None
        self._pico.wait(seconds=seconds)
        self._waited_ms += seconds * 1_000
        return {}


def show(told: Mapping[str, Any]) -> str:
    """What came of a step, for people."""
    from pico_node.cli.krl_pico import show_located

    lines = [f"> {printable(told['step'])}"]
    for one in told["log"]:
        first, *more = _said(one).rstrip("\n").split("\n")
        lines += [f"  {one['level']} {printable(first)}", *(f"    {printable(line)}" for line in more)]
    for one in told.get("directives", ()):
        lines.append(f"  directive {printable(one['name'])} {_json(one['options'])}")
    if "result" in told:
        result = json.dumps(told["result"], indent=2, ensure_ascii=False)
        lines += [f"  {printable(line)}" for line in result.split("\n")]
    for one in told["errors"]:
        lines += [f"  {line}" for line in show_located(one).split("\n")]
        lines += [f"    hint: {printable(one['hint'])}"] if one.get("hint") else []
    if "fired" in told and not (told["fired"] or told["errors"]):
        lines.append("  no rule fired")
    return "\n".join(lines)


def _said(line: Mapping[str, Any]) -> str:
    data = "" if line["data"] in (None, line["text"]) else f" {_json(line['data'])}"
    return f"{line['text']}{data}"


def _json(value: Any) -> str:
    from pico_engine.values import thaw

    return printable(json.dumps(thaw(value), ensure_ascii=False))


COMMANDS = (
    Command(
        ("krl", "run"),
        "run rulesets in a throw-away pico, with events and queries from words or from lines",
        run,
        (
            Argument("file", "a file with a ruleset in KRL"),
            Argument(
                "words",
                "more files, then steps: event DOMAIN:TYPE KEY=VALUE…, query [RID/]NAME KEY=VALUE…, "
                "wait 90s; without steps they are read from standard input, one a line",
                "*",
            ),
        ),
        (
            Option("config", "the rulesets' configuration, a JSON object", JSON_MAP),
            Option("entropy", "what chance is made from, so that a run repeats", TEXT, value="SEED"),
            Option("now", "when it is; time stands still then but for `wait`", TIME),
            Option("allow-host", "a host or network that rulesets may ask", many=True, value="HOST"),
        ),
    ),
)
