"""Messages of other agents that had their effect: written with the turn, so that none has it twice.

Agents of other makes number nothing. What is kept is a hash of each message's id, of the last ones of every
connection, in a ring: `ECI/i/HASH` → its place, `ECI/p/PLACE` → its hash. The connection's own row counts
them. A message that is older than the ring would be applied again; whoever repeats does so soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pico_node.agent.rows import connection_of, numbers, put_numbers

if TYPE_CHECKING:
    from pico_engine.ledger import Section
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

HASH_BYTES: Final = 16
"""Ids are up to 256 characters long, and the other side's choice; nobody finds two with one hash."""


@dataclass(slots=True)
class Taken:
    """Remembers a message of the connection `eci`, in the commit of the turn that applies it."""

    agent: Agent
    eci: str
    message_id: str

    def apply(self, pico: Pico) -> bool:
        """Write it down; False when it is there already, or the connection has gone meanwhile."""
        section, eci = self.agent.node.taken, self.eci
        found = _hash(self.message_id)
        if connection_of(pico, eci) is None:
            return False
        if section.get(f"{eci}/i/{found}") is not None:
            self.agent.engine.count("messages_repeated")
            return False
        sent, received = numbers(pico, eci)
        place = received % self.agent.limits.taken_max_messages
        oldest = section.get(f"{eci}/p/{place:x}")
        if oldest is not None:
            section.delete(f"{eci}/i/{oldest}")
        section.put(f"{eci}/i/{found}", place)
        section.put(f"{eci}/p/{place:x}", found)
        put_numbers(pico, eci, sent, received + 1)
        return True


def forget_taken(section: Section, eci: str) -> None:
    """The connection is gone; nothing comes on it any more. Committed by the caller."""
    for key, _ in list(section.scan(eci + "/", eci + "0")):  # "0" follows "/"
        section.delete(key)


def _hash(message_id: str) -> str:
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).hexdigest()


__all__ = ["Taken", "forget_taken"]
