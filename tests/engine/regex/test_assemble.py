"""Programs: small whatever the counts, with a quick look at where a match can begin."""

from __future__ import annotations

from pico_engine.regex.assemble import assemble
from pico_engine.regex.instructions import One, OneBackwards, Run
from pico_engine.regex.parser import parse


def test_counts_do_not_make_a_program_longer() -> None:
    small = assemble(parse("(?:(?:ab){2}c){2}"))
    large = assemble(parse("(?:(?:ab){60000}c){60000}"))
    assert len(small.code) == len(large.code)


def test_a_repeated_character_is_one_instruction() -> None:
    assert any(isinstance(one, Run) for one in assemble(parse("a{2,5}")).code)
    assert not any(isinstance(one, Run) for one in assemble(parse("a{2,5}?")).code)


def test_lookbehind_reads_backwards() -> None:
    kinds = [type(one) for one in assemble(parse("(?<=ab)c")).code]
    assert kinds.count(OneBackwards) == 2
    assert kinds.count(One) == 1


def test_where_a_match_can_begin() -> None:
    first = assemble(parse("[ab]c")).first
    assert first is not None
    assert first.find("xxb", 0) == 2
    assert assemble(parse("a*")).first is None
    assert assemble(parse("[^]")).first is None
    assert assemble(parse("^a")).anchored
