"""What a driver says in numbers, also when it has nothing to say it of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pico_engine.errors import StoreFull
from pico_node.measures import health_of, metrics_of


def driver(problem: StoreFull | None = None) -> Any:
    outside = SimpleNamespace(metrics=lambda: {"outside_open": 2})
    return SimpleNamespace(
        counters={"ticks": 3}, agent=None, peers=None, outside=outside, store_problem=problem
    )


def test_without_agent_and_peers_the_rest_is_told() -> None:
    found = metrics_of(driver(StoreFull("full")), 1)
    assert found == {"driver_ticks": 3, "outside_open": 2, "sessions": 1, "store_ok": 0}


def test_health_names_what_is_wrong() -> None:
    assert health_of(driver(StoreFull("the disk is full")), 2) == {
        "ok": False,
        "store": "the disk is full",
        "peers": 2,
    }
    assert health_of(driver(), 0) == {"ok": False, "store": "ok", "peers": 0}
