"""Rulesets as classes: every wrong form says what is wrong and what to write."""

# The annotations of queries are read at run time: some here are text on purpose.
from typing import TYPE_CHECKING, Any

import pytest

from pico_engine import Event, Ruleset, any_of, config, ent, number, provides, query, rule, text, when
from pico_engine.errors import BadRequest, RulesetDefinitionError
from pico_engine.harness import Harness

if TYPE_CHECKING:
    from decimal import Decimal


def _rule_without_parentheses():
    class Bad(Ruleset, rid="a.b"):
        @rule
        def go(self, event):
            pass


def _rule_with_text():
    class Bad(Ruleset, rid="a.b"):
        @rule("a:b")
        def go(self, event):
            pass


def _query_with_parentheses():
    class Bad(Ruleset, rid="a.b"):
        @query(None)
        def value(self):
            return 1


def _async_rule():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"))
        async def go(self, event):
            pass


def _generator_rule():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"))
        def go(self, event):
            yield


def _async_query():
    class Bad(Ruleset, rid="a.b"):
        @query
        async def value(self):
            return 1


def _generator_query():
    class Bad(Ruleset, rid="a.b"):
        @query
        def value(self):
            yield 1


def _static_rule():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"))
        @staticmethod
        def go(event):
            pass


def _property_query():
    class Bad(Ruleset, rid="a.b"):
        @query
        @property
        def value(self):
            return 1


def _no_self():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"))
        def go():
            pass


def _star_args():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b", n=number()))
        def go(self, event, *args):
            pass


def _query_kwargs():
    class Bad(Ruleset, rid="a.b"):
        @query
        def value(self, **args):
            return 1


def _provides_kwargs_is_fine_but_not_shared():
    class Bad(Ruleset, rid="a.b"):
        @query
        @provides
        def value(self, x, /):
            return 1


def _unknown_capture():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b", celsius=number()))
        def go(self, event, kelvin):
            pass


def _capture_in_place_of_the_event():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b", celsius=number()))
        def go(self, celsius):
            pass


def _two_rules_of_one_name():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"), name="same")
        def go(self):
            pass

        @rule(when("a:b"), name="same")
        def went(self):
            pass


def _hides_the_api():
    class Bad(Ruleset, rid="a.b"):
        log: list[str] = ent(default=[])


def _hides_config():
    class Bad(Ruleset, rid="a.b"):
        config: int = ent(default=1)


def _rule_named_error():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("a:b"))
        def error(self, event):
            pass


def _shared_list():
    class Bad(Ruleset, rid="a.b"):
        readings: list[int] = []  # noqa: RUF012


def _bad_default():
    class Bad(Ruleset, rid="a.b"):
        readings: Any = ent(default=object())


def _bad_config_default():
    class Bad(Ruleset, rid="a.b"):
        limit: Any = config(default={1: 2})


def _no_event():
    class Bad(Ruleset, rid="a.b"):
        @rule(when())
        def go(self):
            pass


def _no_domain():
    class Bad(Ruleset, rid="a.b"):
        @rule(when("ab"))
        def go(self):
            pass


def _bad_rid(rid):
    def make():
        class Bad(Ruleset, rid=rid):
            pass

    return make


WRONG = [value for name, value in list(globals().items()) if name.startswith("_") and name.islower()
         and callable(value) and not name.startswith("__") and name != "_bad_rid"]  # fmt: skip


@pytest.mark.parametrize(
    "make", [*WRONG, *(_bad_rid(rid) for rid in ("", "a b", "a..b", "a/b", ".a", 5, "ä b", "a:b", "1a"))]
)
def test_wrong_forms(make) -> None:
    with pytest.raises(RulesetDefinitionError) as caught:
        make()
    assert caught.value.what
    assert caught.value.hint


def test_query_cannot_be_called_with_nothing() -> None:
    with pytest.raises(TypeError):
        query()


class Base(Ruleset):
    """Without an id: to be inherited from."""

    _cache = None
    UNITS = ["C", "F"]  # noqa: RUF012
    seen: list[Any] = ent(default=[])
    first: int = config(default=1)

    @rule(when("a:one"))
    def base_rule(self) -> None:
        self.directive("base")

    @rule(when("a:one"))
    def replaced(self) -> None:
        self.directive("never")


class Full(Base, rid="org.example.full-one", version="1.2.3", author="someone"):
    """What it does.

    More about it.
    """

    second: str = config(default="two")

    def helper(self) -> str:
        return "helper"

    @rule(when("a:one"))
    def replaced(self) -> None:
        self.directive("replacing")

    @rule(when("a:two", celsius=number(), name=text()))
    def all_values(self, event: Event, **values: Any) -> None:
        self.directive("all", values)

    @rule(when("a:two", celsius=number(), name=text()))
    def one_value(self, event: Event, name: str, other: int = 5) -> None:
        self.directive("one", name=name, other=other, event=event.name)

    @rule(when("a:two", celsius=number()))
    def without_event(self, *, celsius: float) -> None:
        self.directive("bare", celsius=celsius)

    @rule(when("a:two"), name="another name")
    def nothing_at_all(self) -> None:
        self.directive("nothing")

    @rule(any_of(2, "b:one", "b:two", "b:three"))
    def two_of_three(self) -> None:
        self.directive("two")

    @query
    def shared(self) -> str:
        return self.helper()

    @provides
    def provided(self, n: int) -> int:
        return n + 1

    @query
    @provides
    def both(self, n: int = 1) -> int:
        return n

    @query
    def last_value(self) -> Any:
        return None

    @query
    def typed(
        self,
        count: int = 0,
        share: float = 0.0,
        flag: bool = False,
        word: str = "",
        perhaps: int | None = None,
        quoted: "int | None" = None,
        unknown: "Decimal | None" = None,
        bare=None,
    ) -> "list[Decimal]":
        return [count, share, flag, word, perhaps, quoted, unknown, bare]

    @query
    def needs(self, a: int, b: int = 2) -> Any:
        return [a, b]


def test_what_a_class_defines() -> None:
    definition = Full.definition
    assert (definition.rid, definition.version, definition.name, definition.author) == (
        "org.example.full-one", "1.2.3", "Full", "someone"
    )  # fmt: skip
    assert definition.description == "What it does.\n\nMore about it."
    assert dict(definition.defaults) == {"first": 1, "second": "two"}
    assert [one.name for one in definition.rules] == [
        "base_rule", "replaced", "all_values", "one_value", "without_event", "another name", "two_of_three"
    ]  # fmt: skip
    assert definition.meta["shares"] == ["both", "last_value", "needs", "shared", "typed"]
    assert definition.meta["provides"] == ["both", "provided"]
    assert "definition" not in vars(Base)


def test_what_rules_are_given() -> None:
    pico = Harness(Full)
    assert pico.event("a:one").names == ["base", "replacing"]
    answer = pico.event("a:two", celsius="20", name="n")
    assert answer.names == ["all", "one", "bare", "nothing"]
    assert answer.options("all") == {"celsius": 20, "name": "n"}
    assert answer.options("one") == {"name": "n", "other": 5, "event": "a:two"}
    assert answer.options("bare") == {"celsius": 20}
    assert pico.event("a:two", celsius="warm").names == ["nothing"]
    assert not pico.errors


def test_queries_take_text_as_it_comes_in_urls() -> None:
    pico = Harness(Full)
    given = {
        "count": "5", "share": "0.5", "flag": "true", "word": "5", "perhaps": "7", "quoted": "8",
        "unknown": "9", "bare": "10", "ignored": 1,
    }  # fmt: skip
    assert pico.query(Full, "typed", **given) == [5, 0.5, True, "5", 7, 8, "9", "10"]
    assert pico.query(Full, "typed", count=3, flag=False) == [3, 0.0, False, "", None, None, None, None]
    for wrong in ({"count": "x"}, {"flag": "yes"}, {"share": ""}, {"share": "nan"}, {"quoted": "1.5"}):
        with pytest.raises(BadRequest, match="must be"):
            pico.query(Full, "typed", **wrong)


def test_queries_take_positions_and_miss_arguments() -> None:
    pico = Harness(Full)
    assert pico.bench.query(pico.did, Full.definition.rid, "needs", [1, 3, 4]) == [1, 3]
    assert pico.query(Full, "needs", a="1") == [1, 2]
    with pytest.raises(BadRequest, match="needs the argument 'a'"):
        pico.query(Full, "needs", b=1)


def test_an_undeclared_attribute_is_refused_for_it_would_be_forgotten() -> None:
    class Typo(Ruleset, rid="test.typo"):
        count: int = ent(default=0)

        @rule(when("a:one"))
        def go(self) -> None:
            self.cuont = 1

        @rule(when("a:two"))
        def configure(self) -> None:
            self.count = 5
            self.limit = 3

        limit: int = config(default=1)

        @query
        def value(self) -> int:
            return self.count

    pico = Harness(Typo)
    pico.event("a:one")
    assert "cuont" in pico.errors[0]
    pico.event("a:two")
    assert "is configuration" in pico.errors[1]
    assert pico.query(Typo, "value") == 0


def test_variables_and_configuration() -> None:
    class Values(Ruleset, rid="test.values"):
        a: int = ent(default=1)
        b: list[int] = ent(default=[1, 2])
        c: dict[str, int] = ent(default={})
        d: Any = ent()
        limit: int = config(default=3)

        @rule(when("set:all"))
        def set_all(self) -> None:
            self.a += 1
            self.b += [3]
            self.c["x"] = 1
            self.c |= {"y": self.limit}
            self.d = {"deep": [self.b, self.c]}

        @rule(when("del:all"))
        def del_all(self) -> None:
            del self.a, self.b, self.c, self.d

        @query
        def all(self) -> Any:
            return [self.a, self.b, self.c, self.d]

    start = [1, [1, 2], {}, None]
    pico = Harness(Values, config={"limit": 9, "unknown": 1})
    assert pico.query(Values, "all") == start
    pico.event("set:all")
    pico.restart()
    values = {"x": 1, "y": 9}
    assert pico.query(Values, "all") == [2, [1, 2, 3], values, {"deep": [[1, 2, 3], values]}]
    pico.event("del:all")
    pico.restart()
    assert pico.query(Values, "all") == start
    assert Values.a.name == "a"
    assert Values.limit.default == 3
