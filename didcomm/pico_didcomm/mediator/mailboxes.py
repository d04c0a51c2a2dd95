"""The mediator's mailboxes: who is served, under which DIDs, and what waits for whom.

| row | holds |
|---|---|
| `c/CLIENT` | since when, its long form, how many DIDs, messages and bytes, the next message's number |
| `d/DID` | which client registered the DID |
| `o/CLIENT/DID` | nothing: the DIDs of a client, in order |
| `m/CLIENT/NUMBER` | a message: for which DID, since when, until when, the envelope |
| `x/TIME/CLIENT/NUMBER` | nothing: messages in the order in which they expire |

CLIENT and DID are canonical; no DID has a `/`. A DID belongs to who registers it first: nothing in the
protocol proves that a client owns it. Another client's messages can be withheld so, never be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pico_didcomm.did.document import canonical_did, owner_of
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import LimitExceeded, NoRoute
from pico_didcomm.mediator.rows import Row, Rows
from pico_didcomm.protocols.coordinate_mediation import Page, Result
from pico_didcomm.protocols.pickup import Delivered, Status

_NUMBER_CHARS: Final = 12
_END: Final = "0"  # the character that follows the slash


@dataclass(frozen=True, slots=True)
class MediatorLimits:
    """Limits of a mediator; docs/reference/limits.md lists them."""

    clients_max: int = 10_000
    """Recipients that are served; each may fill its mailbox."""
    dids_per_client_max: int = 1_000
    """A pico has a DID for each connection."""
    messages_per_client_max: int = 10_000
    """Messages that wait for one recipient; beyond it forwards are refused until some are fetched."""
    bytes_per_client_max: int = 64 * 1_048_576
    """Likewise in bytes of envelopes."""
    message_bytes_max: int = 512 * 1_024
    """One envelope: inside a delivery, which is encrypted in turn, it still has to fit into 1 MiB."""
    message_age_max_ms: int = 14 * 24 * 3_600_000
    """A phone that was off for two weeks will not answer old messages any more."""
    delivery_bytes_max: int = 512 * 1_024
    """Envelopes in one delivery, for the same reason; at least one is delivered."""
    sessions_max: int = 10_000
    """Open connections that are remembered."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits: its id at the mediator, whose it is, for which of its DIDs."""

    id: str
    client: str
    did: str
    envelope: bytes


class Mailboxes:
    """Everything that a mediator remembers, over rows."""

    def __init__(self, rows: Rows, entropy: Entropy, limits: MediatorLimits) -> None:
        self._rows = rows
        self._entropy = entropy
        self._limits = limits
        self._clients = sum(1 for _ in rows.scan("c/", "c" + _END))

    # -- who is served ------------------------------------------------------------------------------------

    def is_client(self, client: str) -> bool:
        """Whether the mediator has agreed to serve this DID."""
        return self._rows.get(f"c/{client}") is not None

    def grant(self, client: str, long_did: str, now_ms: int) -> None:
        """Serve a client from now on; `long_did` is what its DID can be resolved from."""
        row = self._rows.get(f"c/{client}")
        if row is None:
            if self._clients >= self._limits.clients_max:
                raise LimitExceeded(f"{self._clients} recipients are served already (clients_max)")
            self._clients += 1
            row = {"created": now_ms, "long": long_did, "dids": 0, "messages": 0, "bytes": 0, "next": 1}
        # Who asks again may go by its short form already.
        known = row["long"] if long_did == client else long_did
        self._rows.put(f"c/{client}", {**row, "long": known})

    def revoke(self, client: str) -> None:
        """Serve a client no more: its DIDs and messages are dropped."""
        if not self.is_client(client):
            return
        self.drop(client, [message.id for message in self._waiting(client, None)])
        for key, _ in list(self._rows.scan(f"o/{client}/", f"o/{client}{_END}")):
            self._rows.delete(f"d/{key.rpartition('/')[2]}")
            self._rows.delete(key)
        self._rows.delete(f"c/{client}")
        self._clients -= 1

    def long_form_of(self, client: str) -> str | None:
        """The DID from which a client's document can be resolved."""
        row = self._rows.get(f"c/{client}")
        return None if row is None else row["long"]

    # -- its DIDs -----------------------------------------------------------------------------------------

    def add(self, client: str, did: str) -> Result:
        """Take messages for a DID."""
        did, row = canonical_did(did), self._rows.get(f"c/{client}")
        if row is None:
            return "client_error"
        owner = self._rows.get(f"d/{did}")
        if owner is not None:
            return "no_change" if owner["client"] == client else "client_error"
        if row["dids"] >= self._limits.dids_per_client_max:
            return "client_error"
        self._rows.put(f"d/{did}", {"client": client})
        self._rows.put(f"o/{client}/{did}", {})
        self._rows.put(f"c/{client}", {**row, "dids": row["dids"] + 1})
        return "success"

    def remove(self, client: str, did: str) -> Result:
        """Take no more messages for a DID; those that wait can still be fetched."""
        did, row = canonical_did(did), self._rows.get(f"c/{client}")
        owner = self._rows.get(f"d/{did}")
        if row is None or (owner is not None and owner["client"] != client):
            return "client_error"
        if owner is None:
            return "no_change"
        self._rows.delete(f"d/{did}")
        self._rows.delete(f"o/{client}/{did}")
        self._rows.put(f"c/{client}", {**row, "dids": row["dids"] - 1})
        return "success"

    def page(self, client: str, limit: int, offset: int) -> Page:
        """A part of a client's DIDs, in the order of their text."""
        keys = [key.rpartition("/")[2] for key, _ in self._rows.scan(f"o/{client}/", f"o/{client}{_END}")]
        found = tuple(keys[offset : offset + limit])
        return Page(found, offset, max(0, len(keys) - offset - len(found)))

    def client_of(self, next_: str) -> tuple[str, str] | None:
        """The (client, DID) that a forward's `next` means, a DID or a key of it; None if nobody's."""
        did = owner_of(next_)
        owner = self._rows.get(f"d/{did}")
        return None if owner is None else (owner["client"], did)

    # -- messages -----------------------------------------------------------------------------------------

    def put(self, next_: str, envelope: bytes, now_ms: int, expires_ms: int | None) -> Queued:
        """Keep a message. NoRoute when nobody registered its recipient, LimitExceeded when it is too much."""
        limits = self._limits
        found = self.client_of(next_)
        if found is None:
            raise NoRoute(f"nobody here takes messages for {next_[:80]}")
        client, did = found
        row = self._client(client)
        if len(envelope) > limits.message_bytes_max:
            raise LimitExceeded(f"a message of {len(envelope)} bytes (message_bytes_max)")
        if row["messages"] >= limits.messages_per_client_max:
            raise LimitExceeded("the recipient's mailbox is full (messages_per_client_max)")
        if row["bytes"] + len(envelope) > limits.bytes_per_client_max:
            raise LimitExceeded("the recipient's mailbox is full (bytes_per_client_max)")
        number = f"{row['next']:0{_NUMBER_CHARS}x}"
        until = now_ms + limits.message_age_max_ms
        until = until if expires_ms is None else min(until, expires_ms)
        # The number finds the message, the rest makes the id one that nobody can guess.
        id_ = number + self._entropy(8).hex()
        message = {"id": id_, "did": did, "received": now_ms, "until": until, "bytes": len(envelope)}
        self._rows.put(f"m/{client}/{number}", {**message, "envelope": envelope.decode()})
        self._rows.put(_expiry(until, client, number), {})
        self._rows.put(f"c/{client}", _counted(row, 1, len(envelope)) | {"next": row["next"] + 1})
        return Queued(id_, client, did, envelope)

    def status(self, client: str, did: str | None) -> Status:
        """What waits for one of a client's DIDs, or for all."""
        count = total = 0
        oldest = newest = None
        for row in self._messages(client, did):
            count, total = count + 1, total + row["bytes"]
            oldest, newest = row["received"] if oldest is None else oldest, row["received"]
        return Status(count, did, oldest, newest, total)

    def waiting(self, client: str, did: str | None, limit: int) -> list[Delivered]:
        """The oldest messages, at most `limit`, and not more bytes than fit into one delivery."""
        found: list[Delivered] = []
        room = self._limits.delivery_bytes_max
        for message in self._waiting(client, did):
            room -= len(message.envelope)
            if found and (room < 0 or len(found) >= limit):
                break
            found.append(message)
        return found

    def drop(self, client: str, ids: Sequence[str]) -> int:
        """Drop messages that were fetched; answers how many of them were there."""
        dropped = 0
        for id_ in ids:
            number = id_[:_NUMBER_CHARS]
            message = self._rows.get(f"m/{client}/{number}")
            if message is None or message["id"] != id_:
                continue
            self._rows.delete(f"m/{client}/{number}")
            self._rows.delete(_expiry(message["until"], client, number))
            row = _counted(self._client(client), -1, -message["bytes"])
            self._rows.put(f"c/{client}", row)
            dropped += 1
        return dropped

    def next_expiry(self) -> int | None:
        """When the next message expires."""
        first = next(iter(self._rows.scan("x/", "x" + _END)), None)
        return None if first is None else int(first[0].split("/")[1], 16)

    def expire(self, now_ms: int) -> int:
        """Drop what has expired; answers how many."""
        keys = [key for key, _ in self._rows.scan("x/", f"x/{now_ms + 1:012x}")]
        for key in keys:
            _, _, client, number = key.split("/")
            message = self._rows.get(f"m/{client}/{number}")
            self._rows.delete(key)
            if message is not None:
                self.drop(client, [message["id"]])
        return len(keys)

    def _client(self, client: str) -> Row:
        row = self._rows.get(f"c/{client}")
        assert row is not None, "a DID belongs to a client"
        return row

    def _messages(self, client: str, did: str | None) -> Iterator[Row]:
        did = None if did is None else canonical_did(did)
        for _, row in self._rows.scan(f"m/{client}/", f"m/{client}{_END}"):
            if did is None or row["did"] == did:
                yield row

    def _waiting(self, client: str, did: str | None) -> Iterator[Delivered]:
        for row in self._messages(client, did):
            yield Delivered(row["id"], row["envelope"].encode())


def _counted(row: Row, messages: int, size: int) -> dict[str, Any]:
    return {**row, "messages": row["messages"] + messages, "bytes": row["bytes"] + size}


def _expiry(until_ms: int, client: str, number: str) -> str:
    return f"x/{until_ms:012x}/{client}/{number}"
