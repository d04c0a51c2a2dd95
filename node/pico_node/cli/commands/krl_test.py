"""`krl test`: the tests that rulesets in KRL share as `__tests`, each in a new pico in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pico_node.cli.context import Context
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.exits import Exit
from pico_node.cli.grammar import Argument, Command, Option
from pico_node.cli.kinds import PATH, TEXT
from pico_node.cli.output import printable

if TYPE_CHECKING:
    from pico_engine.krl.testcases import Failure
    from pico_node.cli.krl_pico import Sources

SUFFIX = ".test.krl"
"""The tests of `counter.krl` are in `counter.test.krl` beside it, or in the ruleset itself."""


def test(context: Context) -> int:
    """Answers 1 when a test failed."""
    from pico_engine.errors import EngineError
    from pico_node.cli.krl_pico import Sources

    as_json, only = context.as_json, context["only"]
    results: list[dict[str, Any]] = []
    for file in _files([context["file"], *context["files"]]):
        sources = Sources([file], as_json=as_json)
        rid = sources.given[0]
        try:
            told = list(run_file(sources, only))
        except EngineError as error:
            raise CliError(f"{file}: {error.what}", error.hint) from None
        if told and not as_json:
            print(f"{rid} ({file})")
        for one in told:
            results.append({"rid": rid, "file": file, **one})
            if not as_json:
                print(_show(one, sources))
    if not results:
        raise UsageError(
            "these rulesets share no `__tests`" + (f" with {only!r} in the name" if only else ""),
            f"write them in the ruleset, or in NAME{SUFFIX} beside it; docs/reference/krl-tests.md tells how",
        )
    failed = sum(not one["ok"] for one in results)
    answer = {"passed": len(results) - failed, "failed": failed, "tests": results}
    context.show(answer, lambda told: f"{told['passed']} passed, {told['failed']} failed")
    if context["junit"] is not None:
        context["junit"].write_text(_junit(results), "utf-8")
    return Exit.FAILED if failed else Exit.OK


def run_file(sources: Sources, only: str | None = None) -> Iterator[dict[str, Any]]:
    """Results of the tests that the first ruleset shares. Raises EngineError where no pico can be made."""
    from pico_engine.krl.testcases import TESTS, cases_of

    rid = sources.given[0]
    functions = sources[rid].compiled.definition.functions
    if TESTS not in functions or not functions[TESTS].shared:
        return
    for case in cases_of(rid, sources.pico(seed=rid).query(rid, TESTS)):
        if only is None or only in case.name:
            failures = case.run(_maker(sources))
            yield {
                "name": case.name,
                "ok": not failures,
                "failures": [_told(one, sources) for one in failures],
            }


def _maker(sources: Sources) -> Callable[..., Any]:
    def make(seed: str, clock: Any, config: Any, outside: Any) -> Any:
        return sources.pico(config, seed=seed, clock=clock, outside=outside)

    return make


def _told(failure: Failure, sources: Sources) -> dict[str, Any]:
    return {"step": failure.step, "what": failure.what, **sources.located(failure.text)}


def _files(words: list[str]) -> list[str]:
    """Files with tests: those named, those of folders, and the `.test.krl` beside a named one."""
    found: dict[str, None] = {}
    for word in words:
        path = Path(word)
        if path.is_dir():
            found |= dict.fromkeys(str(one) for one in sorted(path.rglob("*.krl")))
            continue
        found[word] = None
        beside = path.with_name(path.name.removesuffix(".krl") + SUFFIX)
        if not path.name.endswith(SUFFIX) and beside.is_file():
            found[str(beside)] = None
    return list(found)


def _show(result: Mapping[str, Any], sources: Sources) -> str:
    from pico_node.cli.krl_pico import show_located

    del sources
    lines = [f"  {'ok  ' if result['ok'] else 'FAIL'}  {printable(result['name'])}"]
    for one in result["failures"]:
        lines.append(f"        step {one['step']}, {printable(one['what'])}:")
        told = show_located(one) if "file" in one else one["text"]
        lines += [f"          {printable(line)}" for line in told.split("\n")]
    return "\n".join(lines)


def _junit(results: list[dict[str, Any]]) -> str:
    """The results in the form that JUnit made common."""
    from xml.sax.saxutils import escape, quoteattr

    lines = [f'<testsuite name="krl" tests="{len(results)}" failures="{sum(not r["ok"] for r in results)}">']
    for one in results:
        lines.append(f"  <testcase classname={quoteattr(one['rid'])} name={quoteattr(one['name'])}>")
        for failure in one["failures"]:
            what = f"step {failure['step']}, {failure['what']}"
            text = "".join(char if char.isprintable() or char == "\n" else " " for char in failure["text"])
            lines.append(f"    <failure message={quoteattr(what)}>{escape(text)}</failure>")
        lines.append("  </testcase>")
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, "</testsuite>", ""])


COMMANDS = (
    Command(
        ("krl", "test"),
        "run the tests of rulesets, each in a throw-away pico",
        test,
        (
            Argument("file", "a file with a ruleset in KRL, or a folder of such"),
            Argument("files", "more of them", "*"),
        ),
        (
            Option("only", "run the tests with this text in their names", TEXT, value="TEXT"),
            Option("junit", "also write the results to a file, in JUnit's form", PATH, value="FILE"),
        ),
    ),
)
