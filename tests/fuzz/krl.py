"""Writes KRL rulesets at random, breaks some, compiles them and runs them: no crash, no hang, no escape.

    python -m tests.fuzz.krl --count 100000 --seed 1 --corpus FOLDER

Every input comes from the seed and its own number; a failure prints both, and the command that repeats it.
Most inputs are drawn from the grammar: expressions with every operator and module, event expressions, actions
and statements, with odd values. The others are rulesets (of `--corpus`, else drawn) with words taken out, put
in or exchanged. What is refused must be refused with KrlSyntaxError, what runs may fail with EngineErrors
only; answers, logs and traces must be writable as JSON. The digest of all that happened is printed: it is the
same for the same seed and count in any process, whatever PYTHONHASHSEED is.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson

from pico_engine.errors import EngineError, RulesetDefinitionError
from pico_engine.krl import KrlSyntaxError, check, compile_ruleset
from pico_engine.krl.linking import BUILT_IN
from pico_engine.krl.stdlib import PARAMETERS
from pico_engine.regex import compile_regex
from tests.engine.krl.picos import Krl

INPUT_S_MAX: Final = 5.0
"""CPU for one input: compiling a text of ruleset_max_bytes takes up to two seconds, the turns here less."""
LIMITS: Final = {"steps_max": 20_000, "memory_max_bytes": 4_000_000, "wait_max_ms": 10}
"""So that many inputs run in a minute."""

INFIX: Final = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "<=>",
    "cmp",
    "like",
    "><",
    "&&",
    "||",
)
OPERATORS: Final = [
    (name, parameters) for name, parameters in sorted(PARAMETERS.items()) if name.isalpha() and name != "noop"
]
MEMBERS: Final = [
    (domain, name, member)
    for domain, all_ in sorted(BUILT_IN.items())
    for name, member in sorted(all_.items())
]
NAMES: Final = ("a", "b", "x", "f", "g", "m", "map", "__testing", "n")
LITERALS: Final = (
    *("0", "1", "2", "7", "0.5", "9007199254740993", "9" * 40, "1" + "0" * 300, "null", "true", "false"),
    *('""', '"a"', '"0"', '"1e9"', '"0x1F"', '"a.b[0]"', '"%d%s\\\\"', '"$1$&$`"', '"[1,{\\"a\\":null}]"'),
    *(
        '"2020-02-29T23:59:59.999Z"',
        '"numeric"',
        '"length"',
        '"__proto__"',
        '"__class__"',
        '"\U0001f600\u0130"',
    ),
    *(
        "re#a#",
        "re#(a|b)*c#g",
        "re#^(.*)$#i",
        "re#(?=(a+))\\1#",
        "re#(a+)+$#",
        "[]",
        "{}",
        "[1,2,3]",
        "[[1],[2]]",
    ),
    *('{"a":1,"b":{"c":[2]}}', '["b","a","B"]', "<<a #{a} b>>", "function(a,b){a}", "function(){null}"),
)
EVENTS: Final = ("a b", "a c", "x y", "system error", "http get", "a b n re#(.*)# setting(n)")
REGEX_PARTS: Final = (
    "a",
    "b",
    ".",
    "^",
    "$",
    "[a-c]",
    "[^a]",
    "(",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{2,3}",
    "\\\\1",
    "\\\\b",
    "(?:",
)
ATTRIBUTES: Final = (
    {},
    {"n": "12", "a": {"b": [1, None, "x"]}},
    {"n": None, "__class__": "x", "": 0, "length": [[]]},
    {"n": "a" * 300, "big": list(range(300)), "f": 1e308, "i": -(2**53)},
)


class Draw:
    """A ruleset drawn at random."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.pick: Callable[[Any], Any] = chance.choice

    def expression(self, depth: int = 0) -> str:
        if depth > self.chance.randrange(1, 5):
            return str(self.pick(LITERALS) if self.chance.random() < 0.6 else self.name())
        down = depth + 1
        match self.chance.randrange(13):
            case 0 | 1 | 2 | 3:
                name, parameters = self.pick(OPERATORS)
                given = self.arguments(self.chance.randrange(len(parameters) + 1), down)
                return f"({self.expression(down)}).{name}({given})"
            case 4:
                return f"({self.expression(down)} {self.pick(INFIX)} {self.expression(down)})"
            case 5:
                return f"({self.expression(down)} => {self.expression(down)} | {self.expression(down)})"
            case 6:
                return f"[{self.arguments(self.chance.randrange(4), down)}]"
            case 7:
                return f'{{"k": {self.expression(down)}, "a": {self.expression(down)}}}'
            case 8:
                domain, name, member = self.pick(MEMBERS)
                if member.kind == "property":
                    return f"{domain}:{name}"
                if member.kind == "action":
                    return "event:attrs"
                return f"{domain}:{name}({self.arguments(self.chance.randrange(5), down)})"
            case 9:
                return f"function(a, b = {self.expression(down)}){{ {self.expression(down)} }}"
            case 10:
                return f"({self.expression(down)}){self.pick(('{%s}', '[%s]')) % self.expression(down)}"
            case 11:
                return f"{self.pick(('-', 'not ', ''))}ent:{self.pick('abc')}"
            case _:
                return f"f({self.arguments(self.chance.randrange(3), down)})"

    def arguments(self, count: int, depth: int) -> str:
        return ", ".join(self.expression(depth) for _ in range(count))

    def name(self) -> str:
        return str(self.pick(NAMES))

    def regex(self) -> str:
        pattern = "".join(self.pick(REGEX_PARTS) for _ in range(self.chance.randrange(6)))
        try:
            compile_regex(pattern)
        except EngineError:
            return "re#a#"
        return f"re#{pattern}#"

    def event(self, depth: int = 0) -> str:
        if depth > 2 or self.chance.random() < 0.4:
            base = str(self.pick(EVENTS))
            more = self.chance.random()
            if "setting" in base:
                return base
            if more < 0.2:
                return f"{base} n {self.regex()}"
            return f"{base} where {self.expression(3)}" if more < 0.4 else base
        inside = ", ".join(self.event(depth + 1) for _ in range(self.chance.randrange(2, 5)))
        match self.chance.randrange(5):
            case 0:
                return f"count {self.chance.randrange(1, 6)} ({self.pick(EVENTS)})"
            case 1:
                return f"any 1 ({inside})"
            case 2:
                between = self.pick(("between", "not between"))
                return f"({self.event(depth + 1)} {between} (a b, {self.pick(EVENTS)}))"
            case _:
                return f"{self.pick(('and', 'or', 'before', 'then', 'after'))}({inside})"

    def action(self) -> str:
        domain, name, member = self.pick(MEMBERS)
        if self.chance.random() < 0.4 or member.kind in ("property", "function"):
            return f"send_directive({self.expression(1)}, {self.expression(1)})"
        return f"{domain}:{name}({self.arguments(self.chance.randrange(4), 2)})"

    def statement(self) -> str:
        value = self.expression(1)
        variable = self.pick("abc")
        made = self.pick(
            (
                f"ent:{variable} := {value}",
                f"ent:{variable}{{{self.expression(2)}}} := {value}",
                f"ent:{variable} := ent:{variable}.defaultsTo([]).append({value})",
                f"ent:{variable} := ent:{variable}.put({self.expression(2)}, {value})",
                f"clear ent:{variable}",
                f"raise a event {value} attributes {self.expression(2)}",
                f'raise event "a:c" for {value}',
                f"schedule a event {self.expression(2)} at {value}",
                f"schedule a event {self.expression(2)} repeat {value} attributes {self.expression(2)}",
                f"log info {value}",
                f"error {self.pick(('info', 'error'))} {value}",
                "last",
            )
        )
        return made if self.chance.random() < 0.8 else f"{made} if {self.expression(2)}"

    def rule(self, number: int) -> str:
        loop = f"foreach {self.expression(1)} setting(m, g)" if self.chance.random() < 0.3 else ""
        statements = "; ".join(self.statement() for _ in range(self.chance.randrange(1, 4)))
        return (
            f"rule r{number} {{ select when {self.event()} {loop} pre {{ x = {self.expression()} }} "
            f"{self.action()} fired {{ {statements} }} }}"
        )

    def ruleset(self) -> str:
        rules = " ".join(self.rule(number) for number in range(self.chance.randrange(1, 4)))
        functions = f"f = function(a, b){{ {self.expression()} }} g = function(n){{ {self.expression()} }}"
        values = f"c = {self.expression(2)}; d = {self.expression(2)}"
        names = "x = 1 m = {} n = null a = x b = x"
        return f"ruleset t {{ meta {{ shares f, g }} global {{ {names} {functions} {values} }} {rules} }}"


_WORDS = re.compile(r"\s+|\w+|<<|>>|#\{|re#|[^\w\s]")


def broken(chance: random.Random, text: str) -> str:
    """The text with a few of its words taken out, doubled, exchanged, or others put in."""
    words = _WORDS.findall(text)
    for _ in range(chance.randrange(1, 5)):
        at, other = chance.randrange(len(words)), chance.randrange(len(words))
        match chance.randrange(5):
            case 0:
                words[at] = ""
            case 1:
                words[at], words[other] = words[other], words[at]
            case 2:
                words[at] = f"{words[at]} {chance.choice(LITERALS)} "
            case 3:
                words[at:at] = words[other : other + chance.randrange(1, 9)] * chance.choice([1, 1, 40])
            case _:
                words[at] = chance.choice(
                    ["\0", "\ud7ff", "{", "}", "<<", "#{", "re#", '"', "/*", "é", "9" * 99]
                )
    return "".join(words)


def made(seed: int, number: int, corpus: list[str]) -> str:
    """The input with this number."""
    chance = random.Random(f"{seed}:{number}")
    if chance.random() < 0.7:
        return Draw(chance).ruleset()
    return broken(chance, chance.choice(corpus) if corpus else Draw(chance).ruleset())


def tried(text: str) -> str:
    """What became of a text, in one word and all that is worth a digest. Raises what must not be raised."""
    found = check(text)
    try:
        compile_ruleset(text)
    except (KrlSyntaxError, RulesetDefinitionError) as error:
        return f"refused {error.what} {len(found)}"
    try:
        krl = Krl(text, **LIMITS)
    except EngineError as error:  # its global block fails
        return f"refused {error}"
    seen: list[Any] = []
    for attributes in ATTRIBUTES:
        for name in ("a:b", "a:c", "x:y"):
            seen.append(
                _outcome(lambda name=name, attributes=attributes: krl.event(name, attributes).directives)
            )
    for rid in list(krl.pico.installed.rows):
        for query in ("f", "g", "__testing"):
            seen.append(_outcome(lambda rid=rid, query=query: krl.query(query, {"a": [1, "x"]}, rid)))
    engine = krl.bench.engine
    traces = engine.traces.newest(1_000)
    lines = [(line.level, line.rid, line.text, line.data) for line in krl.bench.log]
    assert set(engine._picos) >= {krl.did}
    return "ran " + orjson.dumps([seen, traces, lines], default=_plain).decode()


def _outcome(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except EngineError as error:
        return str(error)
    except TimeoutError:  # a turn that waits for something outside, which there is not
        return "waits"


def _plain(value: Any) -> Any:
    """A frozen list or map as orjson takes it."""
    return dict(value) if isinstance(value, dict) else list(value)


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--count", type=int, default=1_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--first", type=int, default=0, help="the number of the first input")
    arguments.add_argument("--corpus", type=Path, help="a folder with rulesets (*.krl, at any depth)")
    given = arguments.parse_args()
    corpus = (
        [one.read_text(errors="replace") for one in sorted(given.corpus.rglob("*.krl"))]
        if given.corpus
        else []
    )
    corpus = [text for text in corpus if 0 < len(text) < 60_000]
    outcomes: Counter[str] = Counter()
    digest = blake2b(digest_size=16)
    slowest = (0.0, 0)
    began = time.monotonic()
    for number in range(given.first, given.first + given.count):
        text = made(given.seed, number, corpus)
        before = time.process_time()
        try:
            outcome = tried(text)
            took = time.process_time() - before
            assert took < INPUT_S_MAX, f"took {took:.1f} s"
        except BaseException as error:
            print(f"input {number} of seed {given.seed}: {type(error).__name__}: {error}\n{text}")
            print(f"again: python -m tests.fuzz.krl --seed {given.seed} --first {number} --count 1")
            raise
        slowest = max(slowest, (took, number))
        outcomes[outcome.split()[0]] += 1
        digest.update(outcome.encode(errors="surrogatepass"))
    took_s = time.monotonic() - began
    print(f"{given.count:,} inputs in {took_s:.0f} s: {dict(outcomes)}")
    print(f"slowest {slowest[0]:.2f} s (input {slowest[1]}); digest {digest.hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
