"""Looking into a disk: what a node would find there if it were started now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.engine import Engine
from pico_engine.harness import SeededEntropy
from pico_engine.messages import QueryMessage
from pico_engine.values import Json, thaw
from pico_node.agent.identities import DidcommIdentities

if TYPE_CHECKING:
    from pico_engine.registry import Registry
    from pico_engine.store import StoreReader


def durable_query(store: StoreReader, registry: Registry, pico: str, query: QueryMessage) -> Json:
    """The answer to a query by the rows of a store. It only reads, and no running agent knows of it."""
    engine = Engine(store, registry, DidcommIdentities(), SeededEntropy("reads only"))
    return thaw(engine.runner.run_query(engine.pico(pico), query, None))
