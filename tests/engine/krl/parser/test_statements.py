"""The postlude and its statements."""

from __future__ import annotations

from typing import Any

import pytest

from pico_engine.krl import KrlSyntaxError
from pico_engine.krl.parser.statements import LEVELS
from tests.engine.krl.trees import bare, rule

ONE, X = ("Number", 1.0), ("Identifier", "x")


def statement(text: str) -> Any:
    postlude = rule(f"always {{ {text} }}").postlude
    assert postlude is not None
    assert postlude.always is not None
    (found,) = postlude.always
    return bare(found)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("always { last }", ("always",)),
        ("fired { last }", ("fired",)),
        ("fired {} else { last } finally {}", ("fired", "notfired", "always")),
        ("notfired { last } else {}", ("fired", "notfired")),
        ("notfired {} finally {}", ("notfired", "always")),
        ("", ()),
    ],
)
def test_blocks(text, given):
    postlude = rule(text).postlude
    found = [
        name for name in ("fired", "notfired", "always") if postlude and getattr(postlude, name) is not None
    ]
    assert tuple(found) == given


ENT = ("DomainIdentifier", "ent", "a")
NAME = ("EventName", ("Identifier", "d"), X, None)
WHOLE = ("EventName", None, None, X)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ent:a := 1", ("Assignment", ENT, None, ONE)),
        ("ent:a{x} := 1;", ("Assignment", ENT, X, ONE)),
        ("app:a := 1", ("Assignment", ("DomainIdentifier", "app", "a"), None, ONE)),
        ("clear ent:a", ("Clear", ENT, None)),
        ("clear ent:a{x}", ("Clear", ENT, X)),
        ("raise d event x", ("Raise", NAME, None, None)),
        ("raise event x attributes 1", ("Raise", WHOLE, ONE, None)),
        ("raise d event x for x attributes 1", ("Raise", NAME, ONE, X)),
        ("schedule d event x at 1", ("ScheduleEvent", NAME, None, None, ONE, None)),
        ("schedule event x repeat 1 attributes x setting(x)", ("ScheduleEvent", WHOLE, X, X, None, ONE)),
        ("last", ("Last",)),
        ("x = 1", ("Declaration", X, ONE)),
        ("last if x", ("Guarded", X, ("Last",))),
        ("x = 1 on final", ("Guarded", None, ("Declaration", X, ONE))),
        ("on = 1", ("Declaration", ("Identifier", "on"), ONE)),
        *((f"log {level} 1", ("Log", level, ONE)) for level in sorted(LEVELS)),
        *((f"error {level} 1", ("DeclareError", level, ONE)) for level in sorted(LEVELS)),
    ],
)
def test_statements(text, expected):
    assert statement(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            '"a".klog()',
            'expected a statement, or `}` to end `always`, but found the string `"a"`',
            "`log info value`",
        ),
        ("x.klog()", "expected a statement, or `}` to end `always`, but found `x`", "`log info value`"),
        ("ent:a = 1", "expected `:=` behind `ent:a`, but found `=`", "set with `:=`"),
        ("ent:a.klog()", "expected `:=` behind `ent:a`, but found `.`", "does nothing"),
        ("x := 1", "expected a statement, or `}` to end `always`, but found `x`", ""),
        (
            "set ent:a 1",
            "expected a statement, or `}` to end `always`, but found `set`",
            "`ent:name := value`",
        ),
        ("raise d x", "expected `event` behind the domain, but found `x`", ""),
        (
            "raise d event x with y = 1",
            "expected a statement, or `}` to end `always`, but found `with`",
            "attributes",
        ),
        (
            "schedule d event x",
            "expected `at` and a time, or `repeat` and a cron expression, but found `}`",
            "",
        ),
        ("schedule d event x at 1 setting(x, y)", "expected `)`, but found `,`", "one id"),
        (
            'log "a"',
            'expected a level: `error`, `warn`, `info` or `debug`, but found the string `"a"`',
            "log info",
        ),
        ("error x", "expected a level: `error`, `warn`, `info` or `debug`, but found `x`", "error info"),
        ("clear a", "expected `:` behind `a`, but found `}`", "`ent:name`"),
        ("last;;", "expected a statement, or `}` to end `always`, but found `;`", ""),
    ],
)
def test_what_is_said_of_mistakes(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        statement(text)
    assert caught.value.diagnostics[0].message == message
    assert hint in caught.value.diagnostics[0].hint


def test_else_stands_behind_fired_only():
    with pytest.raises(KrlSyntaxError, match="but found `else`"):
        rule("always {} else {}")
