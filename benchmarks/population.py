"""A store with many picos, made quickly: the rows of one real district of picos, written many times.

The engine makes a district (a pico with 999 children, all with the built-in rulesets) once. Every name in
its rows carries the district's number, so the other districts are copies with another number: the store
holds exactly the rows that the engine would have written.
"""

from __future__ import annotations

import gc
import os
from hashlib import blake2b
from pathlib import Path

from benchmarks.common import registry
from pico_engine.engine import Engine
from pico_engine.identities import Entropy
from pico_engine.messages import OperationMessage
from pico_engine.pico import Pico
from pico_engine.store import Batch
from pico_engine.values import Json
from pico_node.agent.agent import BUILT_IN
from pico_node.entropy import SystemEntropy
from pico_node.store import LevelStore

PER_DISTRICT = 1_000
NOW = 1_700_000_000_000
_MARK = b"z6MkD000"


class NumberedIdentities:
    """Names as long as real ones, marked for the district; nothing here needs their keys."""

    def __init__(self) -> None:
        self.mark = "root"

    def _name(self, entropy: Entropy) -> tuple[str, Json]:
        digits = blake2b(entropy(16), digest_size=20).hexdigest()
        return f"did:key:z6Mk{self.mark}{digits}", {"seed": "0" * 44}

    def new_pico(self, entropy: Entropy) -> tuple[str, Json]:
        return self._name(entropy)

    def new_channel(self, entropy: Entropy) -> tuple[str, Json]:
        return self._name(entropy)

    def new_connection_channel(self, entropy: Entropy, pico: str) -> tuple[str, Json]:
        del pico
        return self._name(entropy)


def populate(path: Path, count: int) -> None:
    """Make `count` picos in a new store."""
    store = LevelStore.open(path, sync=False)
    identities = NumberedIdentities()
    engine = Engine(store, registry(), identities, SystemEntropy())
    engine.new_root("root", BUILT_IN, NOW)
    _settle(engine, store)
    identities.mark = "D000"

    def add(pico: Pico) -> None:
        made = engine.family.new_child(pico, "district", BUILT_IN)
        district = engine.pico(made["did"])
        district.turn = pico.turn
        for number in range(PER_DISTRICT - 1):
            engine.family.new_child(district, f"house {number}", BUILT_IN)
        district.turn = None

    root = engine.root
    assert root is not None, "it was just made"
    engine.receive(OperationMessage(root, "populate", add), NOW)
    template = {
        key: value
        for key, value in _settle(engine, store).items()
        if value is not None and (_MARK in key or _MARK in value)
    }
    for district in range(1, count // PER_DISTRICT):
        mark = b"z6MkD%03d" % district
        rows: dict[bytes, bytes | None] = {
            key.replace(_MARK, mark): value.replace(_MARK, mark) for key, value in template.items()
        }
        store.write(Batch(rows))
    store.close()
    gc.collect()
    os.sync()  # what is measured next must not wait for the disk to take this


def _settle(engine: Engine, store: LevelStore) -> dict[bytes, bytes | None]:
    written: dict[bytes, bytes | None] = {}
    while engine.next_timer() == 0 or engine.has_changes:
        engine.handle_timer(NOW)
        if engine.has_changes:
            number, batch = engine.take_batch()
            store.write(batch)
            engine.durable(number)
            written.update(batch.rows)
    while engine.next_effect() is not None:
        pass
    return written
