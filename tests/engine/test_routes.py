"""Which messages become which events: kept by ruleset, bounded, gone with it."""

from __future__ import annotations

import pytest

from pico_engine import Ruleset
from pico_engine.errors import BadRequest, LimitExceeded, QueryMayNotWrite
from pico_engine.pico import Pico
from pico_engine.routes import ROUTES_MAX, drop_routes, keep_route, route_of, routes_of
from tests.engine.helpers import Steps


class First(Ruleset, rid="test.first"):
    pass


class Second(Ruleset, rid="test.second"):
    pass


@pytest.fixture
def steps() -> Steps:
    return Steps(First, Second, install=("test.first", "test.second"))


def test_the_ruleset_installed_last_has_its_way(steps: Steps) -> None:
    def work(pico: Pico) -> None:
        assert route_of(pico, "t") is None
        assert keep_route(pico, "test.second", "t", "a", "b") == {"t": {"domain": "a", "name": "b"}}
        keep_route(pico, "test.first", "t", "c", "d")
        assert route_of(pico, "t") == ("a", "b")
        drop_routes(pico, "test.second")
        drop_routes(pico, "test.second")
        assert (route_of(pico, "t"), routes_of(pico, "test.second")) == (("c", "d"), {})

    steps.operate(steps.root, work)
    steps.write()
    steps.crash()
    assert route_of(steps.engine.pico(steps.root), "t") == ("c", "d")


@pytest.mark.parametrize("parts", [("", "a", "b"), ("t", None, "b"), ("t", "a", 1)])
def test_a_route_is_of_texts(steps: Steps, parts: tuple[str, str, str]) -> None:
    with pytest.raises(BadRequest):
        steps.operate(steps.root, lambda pico: keep_route(pico, "test.first", *parts))


def test_one_ruleset_routes_so_many_kinds_and_no_more(steps: Steps) -> None:
    def fill(pico: Pico) -> None:
        for number in range(ROUTES_MAX):
            keep_route(pico, "test.first", f"t{number}", "a", "b")

    steps.operate(steps.root, fill)
    steps.operate(steps.root, lambda pico: keep_route(pico, "test.first", "t0", "c", "d"))
    with pytest.raises(LimitExceeded):
        steps.operate(steps.root, lambda pico: keep_route(pico, "test.first", "one more", "a", "b"))
    assert len(routes_of(steps.engine.pico(steps.root), "test.first")) == ROUTES_MAX


def test_only_turns_that_write_keep_routes(steps: Steps) -> None:
    with pytest.raises(QueryMayNotWrite):
        keep_route(steps.engine.pico(steps.root), "test.first", "t", "a", "b")
