"""The formatter: goldens, and that it changes nothing but white space."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pico_engine.krl import KrlSyntaxError, parse
from pico_engine.krl.format import format_text
from pico_engine.krl.lexer import tokenize
from tests.engine.krl import writing
from tests.engine.krl.trees import bare

UGLY = """// a thermometer
ruleset io.example.ugly{meta{name "Ugly"   // its name
 shares f,g


 use module io.x alias x with a=1
   and b = 2 }
 global{
   /* what it is */
   f=function(x,y=[1,2]){x+y{"a"}} g = function(){
 a=1;b = - 2 ;  // two
     // the result
   {"k":a,   "l":b}
   // that was it
   }


   h = ent:list.defaultsTo([])
   .filter(function(one){one>
   3})
   i = a:b => c | d=>
   e | f
   act=defaction(){ if true then every{ send_directive("x",{"a":<<  two
  lines #{ 1+1 }>>}) } return 1 }
 }
 rule r is active{select when a:b c re#(.)# setting(d)
  or any 2(e:f,g:h) within 5 minutes
  foreach [1,2] setting(x,y) pre{} if d
  then
  every{noop();noop()}
  fired
  {
  ent:a{["b",d]}:=1 if d;last}
  else{raise x event "y"
  attributes {"a":1}
  }
  finally{clear ent:b}
 }

 // the end
}
"""

FORMED = """// a thermometer
ruleset io.example.ugly {
  meta {
    name "Ugly" // its name
    shares f, g

    use module io.x alias x with a = 1
      and b = 2
  }
  global {
    /* what it is */
    f = function(x, y = [1, 2]) { x + y{"a"} }
    g = function() {
      a = 1;
      b = -2; // two
      // the result
      {"k": a, "l": b}
      // that was it
    }

    h = ent:list.defaultsTo([])
      .filter(function(one) {
        one >
          3
      })
    i = a:b => c | d =>
      e | f
    act = defaction() {
      if true then every {
        send_directive("x", {"a": <<  two
  lines #{ 1+1 }>>})
      }
      return 1
    }
  }
  rule r is active {
    select when a:b c re#(.)# setting(d)
      or any 2 (e:f, g:h) within 5 minutes
    foreach [1, 2] setting(x, y)
    pre {}
    if d
      then
      every { noop(); noop() }
    fired {
      ent:a{["b", d]} := 1 if d;
      last
    } else {
      raise x event "y"
        attributes {"a": 1}
    } finally { clear ent:b }
  }

  // the end
}
"""


def test_the_form():
    assert format_text(UGLY) == FORMED
    assert format_text(FORMED) == FORMED


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        ("x = a . b : c ( d ) [ 0 ] { e }", "x = a.b:c(d)[0]{e}"),
        ("x = not(a)&&-(b)", "x = not (a) && -(b)"),
        ("x = - - a - + 1", "x = --a - +1"),
        ("x = {}[ ]", None),
        ("x = [ ] y = { }", "x = []\n    y = {}"),
        ("x = f( a=1 , [ 2 ], )", "x = f(a = 1, [2],)"),
        ("x = re#a  b#g.y()", "x = re#a  b#g.y()"),
        ("x = function ( ) { 1 ; }", "x = function() { 1; }"),
        ("x = function(){}", None),
        ("x = defaction ( ) { }", "x = defaction() {}"),
        ("x = a // b\n", "x = a // b"),
        ("x = /* a */1/* b */+2", "x = /* a */ 1 /* b */ + 2"),
        ("x = {\n\n\n\"a\":1,\n\n\n\"b\":2\n\n}", 'x = {\n      "a": 1,\n\n      "b": 2\n    }'),
        ("x = [\n1\n, 2\n]", "x = [\n      1\n      , 2\n    ]"),
        ("x = f(g(\n1\n))", "x = f(g(\n      1\n    ))"),
        ("x = f(\ng(\n1\n)\n)", "x = f(\n      g(\n        1\n      )\n    )"),
        ("x\n=\n1\n;\ny = 2", "x\n      =\n      1;\n    y = 2"),
        ("x = f\n(1)\n{2}", "x = f\n      (1){2}"),
        ("x = 1 // one\n\n\n// two\n\n\n", "x = 1 // one\n\n    // two"),
        ("\n// one  \nx = 1", "// one\n    x = 1"),
        ("\n/* one\n two */ x = 1", "/* one\n two */\n    x = 1"),
    ],
)  # fmt: skip
def test_pieces(text, formed):
    whole = f"ruleset a {{ global {{ {text} }} }}"
    if formed is None:
        with pytest.raises(KrlSyntaxError):
            format_text(whole)
        return
    assert format_text(whole) == f"ruleset a {{\n  global {{\n    {formed}\n  }}\n}}\n"


@pytest.mark.parametrize(
    "text",
    [
        "ruleset a {}\n",
        "ruleset a {\n  // nothing\n}\n",
        "// first\n\nruleset a {}\n\n// last\n",
        "ruleset a {\n  meta {}\n  global {}\n  rule b {}\n}\n",
        "ruleset a {\n  rule b { // why\n    select when c:d // when\n    // nothing\n  }\n}\n",
        'ruleset a {\n  version "1"\n  meta {\n    configure using a = 1; b = 2\n    logging on\n  }\n}\n',
    ],
)
def test_what_is_in_form_stays(text):
    assert format_text(text) == text


def test_what_is_wrong_is_not_formatted():
    with pytest.raises(KrlSyntaxError):
        format_text("ruleset a { ")


TREES = writing.ruleset
SEPARATORS = st.lists(st.sampled_from(writing.SEPARATORS), min_size=1, max_size=6)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@SLOW
@given(TREES, SEPARATORS)
def test_a_tree_that_is_written_is_read_again_and_formatting_changes_nothing_of_it(tree, separators):
    text = writing.text_of(tree, separators)
    assert bare(parse(text)) == bare(tree)
    formed = format_text(text)
    assert bare(parse(formed)) == bare(tree)
    assert format_text(formed) == formed
    before, after = tokenize(text), tokenize(formed)
    assert [one.text for one in after.tokens] == [one.text for one in before.tokens]
    assert [one.text.rstrip() for one in after.comments] == [one.text.rstrip() for one in before.comments]
