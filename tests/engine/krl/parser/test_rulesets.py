"""The ruleset, its meta block and rules, and how the parser goes on behind errors."""

from __future__ import annotations

import pytest

from pico_engine.krl import KrlSyntaxError, parse
from pico_engine.krl.parser import parse_all
from tests.engine.krl.trees import bare

WHOLE = """ruleset io.example.a-b {
  version "1"
  meta {
    name "A" description <<b>> author "c" + "d" version "2" logging off
    use module io.x alias x with a = 1 and b = 2 c = 3
    use module io.y-z
    configure using d = 1; e = 2
    shares f, g
    provide h
    key k "secret"
    provides keys k to io.x, io.y
    errors to io.z
  }
  global { f = 1; g = 2 }
  rule one is inactive { select when a:b foreach [1] setting(x) foreach f setting(y, z) pre { a = 1 }
    f() fired {} }
  rule two is active {}
  rule three { always { last } }
}
"""


def test_a_whole_ruleset():
    tree = parse(WHOLE)
    assert tree.rid.value == "io.example.a-b"
    assert tree.version is not None
    assert tree.version.value == "1"
    assert [one.key.name for one in tree.meta] == [
        *(
            "name",
            "description",
            "author",
            "version",
            "logging",
            "use",
            "use",
            "configure",
            "shares",
            "provide",
        ),
        *("key", "provides", "errors"),
    ]
    assert [type(one.value).__name__ for one in tree.meta] == [
        *(
            "String",
            "Chevron",
            "Infix",
            "String",
            "Boolean",
            "UseModule",
            "UseModule",
            "Configure",
            "NameList",
        ),
        *("NameList", "KeyDeclaration", "KeyDeclaration", "KeyDeclaration"),
    ]
    use = bare(tree.meta[5].value)
    assert use[1:3] == (("RulesetId", "io.x"), ("Identifier", "x"))
    assert [one[1] for one in use[3]] == [("Identifier", "a"), ("Identifier", "b"), ("Identifier", "c")]
    assert [one.name.name for one in tree.globals] == ["f", "g"]
    assert [(one.name.name, one.is_active) for one in tree.rules] == [
        ("one", False),
        ("two", True),
        ("three", True),
    ]
    first = tree.rules[0]
    assert [len(one.setting) for one in first.foreach] == [1, 2]
    assert len(first.prelude) == 1
    assert first.block is not None
    assert first.postlude is not None
    assert WHOLE[slice(*tree.span)] == WHOLE.rstrip()
    assert WHOLE[slice(*tree.rules[1].span)] == "rule two is active {}"


@pytest.mark.parametrize(
    "text", ["ruleset a {}", "\ufeff// hi\nruleset return.not { } /* bye */", "ruleset a{meta{}global{}}"]
)
def test_small_rulesets(text):
    assert parse(text).rules == ()


NO_RULESET = [
    ("", "expected `ruleset`, but found the end of the text", "begins with"),
    ("a = 1", "expected `ruleset`, but found `a`", "begins with"),
    ("ruleset {}", "expected the ruleset's id, such as `io.example.name`, but found `{`", ""),
    ("ruleset a. b {}", "expected a word directly behind `a.`, but found `b`", "io.example.name"),
    ("ruleset a.1 {}", "expected `{` behind the ruleset's id, but found `.1`", "words"),
    ("ruleset a", "expected `{` behind the ruleset's id, but found the end of the text", "words"),
    ("ruleset a {", "expected `rule`, or `}` to end the ruleset, but found the end of the text", ""),
    ("ruleset a {} b", "expected the end of the text, but found `b`", "too many"),
    (
        "ruleset a { dispatch {} }",
        "expected `rule`, or `}` to end the ruleset, but found `dispatch`",
        "older",
    ),
    (
        "ruleset a { rule r {} meta {} }",
        "expected `rule`, or `}` to end the ruleset, but found `meta`",
        "this order",
    ),
    ("ruleset a { version 1 }", "expected a version in double quotes, but found `1`", ""),
    ("ruleset a { meta { sharing on } }", "`sharing` is no property of `meta`", "`shares name, name`"),
    ("ruleset a { meta { foo } }", "`foo` is no property of `meta`", "`author`"),
    ("ruleset a { meta { logging yes } }", "expected `on` or `off`, but found `yes`", ""),
    ("ruleset a { meta { use a } }", "expected `module`, but found `a`", ""),
    (
        "ruleset a { meta { use module a with b = 1, c = 2 } }",
        "expected `and`, or the next property of `meta`, but found `,`",
        "joined by `and`",
    ),
    ("ruleset a { meta { use module a with } }", "expected a declaration, `name = value`, but found `}`", ""),
    ("ruleset a { meta { shares } }", "expected a name that `global` declares, but found `}`", ""),
    ("ruleset a { meta { name } }", "expected a text, in double quotes or `<<…>>`, but found `}`", ""),
    (
        "ruleset a { global { f() } }",
        "expected a declaration, `name = value`, or `}` to end `global`, but found `f`",
        "",
    ),
    (
        "ruleset a { global { a = 1;; } }",
        "expected a declaration, `name = value`, or `}` to end `global`, but found `;`",
        "",
    ),
    ("ruleset a { rule {} }", "expected the rule's name, but found `{`", ""),
    ("ruleset a { rule r is on {} }", "expected `active` or `inactive`, but found `on`", ""),
    (
        "ruleset a { rule r { pre { f() } } }",
        "expected a declaration, `name = value`, or `}` to end `pre`, but found `f`",
        "",
    ),
    (
        "ruleset a { rule r { foreach a } }",
        "expected `setting(…)` behind `foreach`, but found `}`",
        "setting(thing)",
    ),
    (
        "ruleset a { rule r { f() pre {} } }",
        "expected `}` to end the rule `r`, or its postlude, but found `pre`",
        "this order",
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), NO_RULESET, ids=[one[0] for one in NO_RULESET])
def test_what_is_said_of_mistakes(text, message, hint):
    with pytest.raises(KrlSyntaxError) as caught:
        parse(text)
    first = caught.value.diagnostics[0]
    assert first.message == message
    assert hint in first.hint
    assert parse_all(text)[1][0] == first


BROKEN = """ruleset a {
  meta {
    name "x" +
    sharing on
    shares f, g
    foo
  }
  global {
    f = function(x) {
      y = x +
    }
    g = 1
    h = ][
    i = {"a": 1}
  }
  rule one {
    select when a:
    pre { z = 1 }
  }
  rule two { select when a:b f() }
  rule three { select when a:b if then f() }
  dispatch { domain "x" }
  rule four { select when a:b g() }
}
"""


def test_all_errors_are_found_with_what_stands_between_them():
    tree, found, guessed = parse_all(BROKEN)
    assert tree is not None
    lines = [BROKEN.count("\n", 0, one.span.start) + 1 for one in found]
    assert lines == [4, 6, 11, 13, 18, 21]
    assert [one.key.name for one in tree.meta] == ["name", "shares"]
    assert [one.name.name for one in tree.globals] == ["g", "i"]
    assert [one.name.name for one in tree.rules] == ["two", "four"]
    assert {"f", "h"} <= guessed


@pytest.mark.parametrize(
    "text",
    [
        "ruleset a { rule one { select when",
        "ruleset a { rule one { } } rule two { }",
        "ruleset a { global { x = (",
        "ruleset a { meta { name",
        "ruleset a { meta { shares f, } rule one {}",
        'ruleset a { rule one { "',
    ],
)
def test_what_breaks_off_is_said_once(text):
    tree, found, _ = parse_all(text)
    assert tree is not None
    assert len(found) == 1


def test_what_has_no_beginning_has_no_tree():
    tree, found, guessed = parse_all("rule r {}")
    assert tree is None
    assert len(found) == 1
    assert not guessed


def test_the_limit_of_nesting_is_an_argument():
    text = "ruleset a { global { x = [[[1]]] } }"
    assert parse(text, 4)
    with pytest.raises(KrlSyntaxError, match="more than 3 levels"):
        parse(text, 3)
