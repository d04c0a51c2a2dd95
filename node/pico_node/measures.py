"""What a driver can say in numbers: its metrics, and whether it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.values import Json

if TYPE_CHECKING:
    from pico_node.driver import Driver


def metrics_of(driver: Driver, sessions: int) -> dict[str, float]:
    """Counters of driver, engine, peers and outside requests; gauges of what is held at the moment."""
    found: dict[str, float] = {f"driver_{name}": value for name, value in driver.counters.items()}
    agent = driver.agent
    if agent is not None:
        found.update({f"engine_{name}": value for name, value in agent.engine.counters.items()})
        found["picos_loaded"] = agent.engine.loaded_count
        found["lanes"] = len(agent.lanes)
        found["queries_open"] = len(agent.questions)
    if driver.peers is not None:
        found.update({f"peers_{name}": value for name, value in driver.peers.counters().items()})
    found.update(driver.outside.metrics())
    found["sessions"] = sessions
    found["store_ok"] = 0 if driver.store_problem is not None else 1
    return found


def health_of(driver: Driver, sessions: int) -> Json:
    """`{"ok", "store", "peers"}`; `store` is "ok" or what is wrong."""
    problem = driver.store_problem
    return {
        "ok": problem is None and driver.agent is not None,
        "store": "ok" if problem is None else problem.what,
        "peers": sessions,
    }
