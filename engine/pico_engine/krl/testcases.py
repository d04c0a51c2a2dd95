"""Tests of rulesets, written in KRL: what a ruleset shares as `__tests`, and running it.

`__tests` is a map from a test's name to its steps, each a map: an event, a query, or a while that passes, and
what is expected of it. Every test has a new pico, a clock that stands still but for `wait`, and entropy of
its own. An error that no step expects fails the test. docs/reference/krl-tests.md has all forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import ndiff
from typing import Any, Final

from pico_engine.errors import BadRequest, EngineError, FetchFailed, UnknownQuery
from pico_engine.harness import Harness, Outside, VirtualClock
from pico_engine.krl.modules.isodate import parse_date
from pico_engine.messages import HttpCall, RulesetCall
from pico_engine.values import Json, thaw

TESTS: Final = "__tests"
"""The name under which a ruleset shares its tests."""
START_MS: Final = 1_767_225_600_000
"""When tests begin that do not say when: 2026-01-01T00:00:00Z."""
SHORT_MAX_CHARS: Final = 60
"""Two values that are longer than this are shown line by line."""
KEYS: Final[Mapping[str, frozenset[str]]] = {
    "event": frozenset({"attrs", "directives", "check", "errors"}),
    "query": frozenset({"args", "is", "check", "errors"}),
    "wait": frozenset({"errors"}),
    "http": frozenset({"answer"}),
}
"""What a step may say, by what kind it is of."""
UNITS: Final = ("seconds", "minutes", "hours", "days")

MakePico = Callable[[str, VirtualClock, Mapping[str, Json], Outside], Harness]
"""(seed, clock, configuration, outside) → a new pico with the rulesets to test."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not as expected. `step` counts from 1; 0: the test itself is not well-formed."""

    step: int
    what: str
    """The step in a few words: `event counter:inc`."""
    text: str
    """What was expected, and what came; may have several lines."""


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test of the ruleset `rid`, as that ruleset says it."""

    __test__ = False  # no test of Python's

    rid: str
    name: str
    told: Json

    def run(self, make: MakePico) -> list[Failure]:
        """What fails; [] for a test that passes. Later steps of a failed test are not run."""
        step, what = 0, "the test"
        try:
            steps, config, now = _read_test(self.told)
            world = _World()
            pico = make(f"{self.rid}/{self.name}", VirtualClock(now), config, world)
            runner = _Runner(pico, self.rid, world)
            for step, told in enumerate(steps, 1):
                what = "what is no step"
                what = _words(told)
                failures = list(runner.run(told))
                if failures:
                    return [Failure(step, what, text) for text in failures]
        except EngineError as error:
            hint = f"\n{error.hint}" if error.hint else ""
            return [Failure(step, what, f"{error}{hint}")]
        return []


def cases_of(rid: str, told: Json) -> list[TestCase]:
    """The tests that a ruleset told when it was asked for `__tests`. Raises BadRequest."""
    if not isinstance(told, Mapping):
        raise BadRequest(
            f"{TESTS} of {rid} is no map", 'write __tests = {"its name": [{"event": "domain:type"}, …]}'
        )
    return [TestCase(rid, name, one) for name, one in told.items()]


def _read_test(told: Json) -> tuple[list[Json], Mapping[str, Json], int]:
    """Steps, configuration and beginning: a test is a list of steps, or a map. Raises BadRequest."""
    if isinstance(told, list):
        return told, {}, START_MS
    if not isinstance(told, Mapping) or not isinstance(told.get("steps"), list):
        raise BadRequest(
            "a test is an array of steps", 'or a map like {"steps": […], "config": {…}, "now": …}'
        )
    strange = sorted(set(told) - {"steps", "config", "now"})
    config, now = told.get("config", {}), told.get("now", START_MS)
    if strange or not isinstance(config, Mapping):
        raise BadRequest(f"a test has `steps`, a map `config` and `now`, not {strange or ['config']}")
    if isinstance(now, str):
        now = parse_date(now, START_MS)
    if not isinstance(now, int) or isinstance(now, bool):
        raise BadRequest(f"`now` is no time: {told.get('now')!r}", 'write it like "2026-01-31T12:00:00Z"')
    return told["steps"], config, now


def _words(step: Json) -> str:
    """A step in a few words. Raises BadRequest for what is no step."""
    kinds = [kind for kind in KEYS if isinstance(step, Mapping) and kind in step]
    if len(kinds) != 1:
        raise BadRequest(f"{_text(step)} is no step", f"a step has one of the keys {', '.join(KEYS)}")
    strange = sorted(set(step) - KEYS[kinds[0]] - set(kinds))
    if strange:
        raise BadRequest(f"a step `{kinds[0]}` has no {strange[0]!r}", f"it has {_listed(KEYS[kinds[0]])}")
    subject = step[kinds[0]]
    return f"{kinds[0]} {subject if isinstance(subject, str) else _text(subject)}"


class _World:
    """Answers HTTP requests as the test's steps said that it would."""

    def __init__(self) -> None:
        self.answers: dict[str, Json] = {}

    def __call__(self, call: HttpCall | RulesetCall) -> Json:
        name = f"{call.method} {call.url}" if isinstance(call, HttpCall) else f"GET {call.url}"
        if name not in self.answers:
            raise FetchFailed(
                f"{name}: tests ask no network", f'say what comes: {{"http": "{name}", "answer": …}}'
            )
        answer = self.answers[name]
        if isinstance(call, RulesetCall):
            return answer.get("content", "")
        content = answer.get("content", "")
        return {"status_code": 200, "status_line": "OK", "headers": {}, "content_type": None} | {
            **answer,
            "content": content,
            "content_length": len(content.encode()),
        }


class _Runner:
    """Runs the steps of one test in one pico."""

    def __init__(self, pico: Harness, rid: str, world: _World) -> None:
        self._pico = pico
        self._rid = rid
        self._world = world

    def run(self, step: Mapping[str, Any]) -> Iterator[str]:
        """What was not as expected. Raises EngineError where the engine refuses the step."""
        before = len(self._pico.bench.log)
        refused = ""
        try:
            if "event" in step:
                yield from self._event(step)
            elif "query" in step:
                yield from self._query(step)
            elif "http" in step:
                self._http(step)
            else:
                self._pico.bench.wait(_milliseconds(step["wait"]))
        except EngineError as error:
            if "errors" not in step:
                raise
            refused = str(error)
        found = [line.text for line in self._pico.bench.log[before:] if line.level == "error"]
        yield from _compare_errors(step.get("errors"), [*found, *([refused] if refused else [])])

    def _event(self, step: Mapping[str, Any]) -> Iterator[str]:
        directives = self._pico.event(step["event"], _map(step, "attrs")).directives
        told = [{"name": one["name"], "options": thaw(one["options"])} for one in directives]
        wanted = step.get("directives")
        if isinstance(wanted, list):
            got = [
                one["name"] if number < len(wanted) and isinstance(wanted[number], str) else one
                for number, one in enumerate(told)
            ]
            yield from _compare(wanted, got, "directives ")
        elif wanted is not None:
            raise BadRequest("`directives` is an array", "of names, or of maps with name and options")
        yield from self._check(step, told)

    def _query(self, step: Mapping[str, Any]) -> Iterator[str]:
        name, rid = step["query"], None
        if "/" in name:
            rid, _, name = name.rpartition("/")
        value = self._pico.bench.query(
            self._pico.did, rid or self._who_shares(name), name, _map(step, "args")
        )
        if "is" in step:
            yield from _compare(step["is"], value)
        yield from self._check(step, value)

    def _check(self, step: Mapping[str, Any], value: Json) -> Iterator[str]:
        """`check`: a function that the test's ruleset shares says whether the value will do."""
        name = step.get("check")
        if name is None:
            return
        verdict = self._pico.bench.query(self._pico.did, self._rid, name, {"0": value})
        if verdict is not True:
            yield f"{name} says {_text(verdict)} to {_text(value)}"

    def _who_shares(self, name: str) -> str:
        """The ruleset that a query without one means: what is tested comes before the tests themselves."""
        pico = self._pico.bench.engine.pico(self._pico.did)
        sharing = [
            one.rid
            for one in pico.definitions()
            if one.language == "krl" and name in one.functions and one.functions[name].shared
        ]
        if len(sharing) > 1 and self._rid in sharing:
            sharing.remove(self._rid)
        if len(sharing) != 1:
            told = f"{_listed(sharing)} share {name}" if sharing else f"no ruleset shares {name}"
            raise UnknownQuery(told, f'write "RID/{name}"')
        return sharing[0]

    def _http(self, step: Mapping[str, Any]) -> None:
        answer = step.get("answer", {})
        if not isinstance(answer, Mapping) or not isinstance(answer.get("content", ""), str):
            raise BadRequest('`answer` is a map like {"status_code": 200, "content": "text"}')
        self._world.answers[step["http"]] = answer


def _map(step: Mapping[str, Any], key: str) -> Mapping[str, Json]:
    value = step.get(key, {})
    if not isinstance(value, Mapping):
        raise BadRequest(f"`{key}` is a map, not {_text(value)}")
    return value


def _milliseconds(told: Json) -> float:
    """How long to wait: seconds, or a map as `time:add` takes. Raises BadRequest."""
    spans = told if isinstance(told, Mapping) else {"seconds": told}
    lengths = dict(zip(UNITS, (1_000, 60_000, 3_600_000, 86_400_000), strict=True))
    for unit, count in spans.items():
        if unit not in lengths or not isinstance(count, int | float) or isinstance(count, bool) or count < 0:
            raise BadRequest(f"cannot wait {_text(told)}", f"write seconds, or a map of {', '.join(UNITS)}")
    return float(sum(lengths[unit] * count for unit, count in spans.items()))


def _compare_errors(wanted: Json, found: list[str]) -> Iterator[str]:
    """`wanted`: parts of the errors that are expected, in their order; none if nothing is said."""
    parts = [wanted] if isinstance(wanted, str) else wanted or []
    for number, part in enumerate(parts):
        if number >= len(found):
            yield f"expected an error with {_text(part)}, but there was none"
        elif str(part) not in found[number]:
            yield f"expected an error with {_text(part)}, got {found[number]}"
    yield from found[len(parts) :]


def _compare(wanted: Json, got: Json, subject: str = "") -> Iterator[str]:
    if _same(wanted, got):
        return
    short = [_text(one) for one in (wanted, got)]
    if max(map(len, short)) <= SHORT_MAX_CHARS:
        yield f"expected {subject}{short[0]}, got {short[1]}"
    else:
        shown = [
            line
            for line in ndiff(_text(wanted, 2).split("\n"), _text(got, 2).split("\n"))
            if not line.startswith("?")
        ]
        yield "\n".join([f"expected {subject}(-) is not what came (+)", *shown])


def _same(one: Json, other: Json) -> bool:
    """Are they the same JSON? A truth value is no number, whatever Python says; maps have no order."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _text(value: Json, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
