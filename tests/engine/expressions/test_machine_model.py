"""A naive model of event expressions, written from their definition, against the compiled machine."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pico_engine.expressions.ast import (
    After,
    And,
    AnyOf,
    AttributePattern,
    Before,
    Between,
    Count,
    Expression,
    NotBetween,
    Or,
    Repeat,
    Select,
    Simple,
    Then,
)
from pico_engine.expressions.machine import Machine, compile_select
from pico_engine.expressions.patterns import equals
from pico_engine.expressions.progress import Progress


def event(name: str, time_ms: int = 1_000_000, **attrs: Any) -> SimpleNamespace:
    domain, _, type_ = name.partition(":")
    return SimpleNamespace(domain=domain, type=type_, attrs=attrs, time_ms=time_ms)


def run(machine: Machine, *events: SimpleNamespace) -> list[tuple[str, dict[str, Any]]]:
    progress = None
    seen = []
    for one in events:
        outcome = machine.advance(progress, one)
        progress = outcome.progress
        seen.append((outcome.why, dict(outcome.settings)))
    return seen


def whys(machine: Machine, *events: SimpleNamespace) -> list[str]:
    return [why for why, _ in run(machine, *events)]


@dataclass
class Part:
    """A machine piece as the definition tells it: nothing numbered, nothing merged, nothing laid in place."""

    start: object = field(default_factory=object)
    end: object = field(default_factory=object)
    edges: list[tuple[object, Any, object]] = field(default_factory=list)

    def joined(self, old: object, new: object) -> "Part":
        def rename(state: object) -> object:
            return new if state is old else state

        return Part(
            rename(self.start),
            rename(self.end),
            [(rename(source), on, rename(target)) for source, on, target in self.edges],
        )


def side_by_side(parts: list[Part]) -> Part:
    start, end = object(), object()
    edges = []
    for part in parts:
        edges += part.joined(part.start, start).joined(part.end, end).edges
    return Part(start, end, edges)


def chained(parts: list[Part], *, strictly: bool = False) -> Part:
    whole = parts[0]
    for part in parts[1:]:
        joint = whole.end
        part = part.joined(part.start, joint)
        edges = whole.edges + part.edges
        if strictly:
            leaving = [on for source, on, _ in edges if source is joint and isinstance(on, Simple)]
            edges = [*edges, (joint, leaving, whole.start)]
        whole = Part(whole.start, part.end, edges)
    return whole


def model_of(expression: Expression) -> Part:
    def each(parts: Any) -> list[Part]:
        return [model_of(part) for part in parts]

    match expression:
        case Simple():
            part = Part()
            part.edges.append((part.start, expression, part.end))
            return part
        case Or(parts):
            return side_by_side(each(parts))
        case And(parts):
            return side_by_side([chained(each(order)) for order in permutations(parts)])
        case AnyOf(n, parts):
            return side_by_side([chained(each(order)) for order in permutations(parts, n)])
        case Before(parts):
            return chained(each(parts))
        case Then(parts):
            return chained(each(parts), strictly=True)
        case After(parts):
            return chained(each(reversed(parts)))
        case Between(middle, first, last):
            return chained(each((first, middle, last)))
        case NotBetween(middle, first, last):
            begin, inner = model_of(first), model_of(middle)
            outer = chained([begin, model_of(last)])
            inner = inner.joined(inner.start, begin.end).joined(inner.end, outer.start)
            return Part(outer.start, outer.end, outer.edges + inner.edges)
        case Count(n, part_):
            return chained(each([part_] * n))
        case Repeat(n, part_):
            whole, loop = chained(each([part_] * n)), model_of(part_)
            loop = loop.joined(loop.start, whole.end).joined(loop.end, whole.end)
            return Part(whole.start, whole.end, whole.edges + loop.edges)
    raise AssertionError(expression)


def salient(expression_letters: list[Simple], one: SimpleNamespace) -> list[Simple]:
    return [
        letter
        for letter in expression_letters
        if letter.domain in ("*", one.domain)
        and letter.type in ("*", one.type)
        and all(one.attrs.get(pattern.name) == 1 for pattern in letter.attributes)
    ]


def model_fires(select: Select, events: list[SimpleNamespace]) -> Iterator[bool]:
    part = model_of(select.expression)
    letters = [on for _, on, _ in part.edges if isinstance(on, Simple)]
    leaves_end = any(source is part.end for source, _, _ in part.edges)
    states, clock = [part.start], None
    for one in events:
        matching = salient(letters, one)
        if not matching:
            yield False
            continue
        if states == [part.end] and not leaves_end:
            states_now, at_start = [part.start], False
        else:
            states_now, at_start = states, part.start in states
        if clock is None:
            clock = one.time_ms
        if select.within_ms is not None and one.time_ms - clock > select.within_ms:
            states = states_now = [part.start]
            at_start = True
        if at_start:
            clock = one.time_ms
        hits: list[object] = []
        for state in states_now:
            for source, on, target in part.edges:
                if source is state and target not in hits:
                    taken = on in matching if isinstance(on, Simple) else not any(x in matching for x in on)
                    if taken:
                        hits.append(target)
        yield part.end in hits
        if part.end in hits:
            states = [part.end]
        elif hits:
            states = hits
        else:
            states = states_now


ONE = AttributePattern("p", equals(1))
LETTERS = st.sampled_from(
    [Simple("t", name) for name in "abcd"] + [Simple("t", "a", (ONE,)), Simple("t", "*"), Simple("*", "b")]
)


def compound(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    more = st.lists(parts, min_size=2, max_size=3).map(tuple)
    times = st.integers(1, 3)
    return st.one_of(
        *(st.builds(kind, some) for kind in (Or, And, Before, Then, After)),
        *(st.builds(kind, parts, parts, parts) for kind in (Between, NotBetween)),
        *(st.builds(kind, times, parts) for kind in (Count, Repeat)),
        more.flatmap(lambda several: st.integers(1, len(several) - 1).map(lambda n: AnyOf(n, several))),
    )


EXPRESSIONS = st.recursive(LETTERS, compound, max_leaves=6)
SELECTS = st.builds(Select, EXPRESSIONS, st.none() | st.sampled_from([0, 300, 1_000, 1_300]))


@st.composite
def streams(draw: st.DrawFn) -> list[SimpleNamespace]:
    time_ms = 1_000_000
    stream = []
    for name, p, later_ms in draw(
        st.lists(
            st.tuples(
                st.sampled_from("aaabbbcdx"), st.sampled_from([1, 1, 2]), st.sampled_from([0, 1, 300, 1_000])
            ),
            max_size=20,
        )
    ):
        time_ms += later_ms
        stream.append(event(f"t:{name}", time_ms, p=p))
    return stream


@settings(max_examples=800, deadline=None)
@given(SELECTS, streams())
def test_fires_as_the_naive_model_does(select: Select, stream: list[SimpleNamespace]) -> None:
    machine = compile_select(select)
    progress = None
    for one, fires in zip(stream, model_fires(select, stream), strict=True):
        outcome = machine.advance(progress, one)
        assert outcome.fired == fires
        assert outcome.fired == (outcome.why == "fired")
        progress = outcome.progress
        if progress is not None:  # what is stored comes back, whatever state it is in
            assert Progress.from_json(progress.to_json()) == progress


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, streams())
def test_without_a_clock_times_do_not_matter(expression: Expression, stream: list[SimpleNamespace]) -> None:
    machine = compile_select(Select(expression))
    still = [SimpleNamespace(**{**vars(one), "time_ms": 5}) for one in stream]
    assert whys(machine, *stream) == whys(machine, *still)
