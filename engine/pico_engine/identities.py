"""Where the names of picos and channels come from; given to the engine from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pico_engine.values import Json

Entropy = Callable[[int], bytes]
"""`entropy(n)` gives n unpredictable bytes; a simulation gives them from its seed."""


class Identities(Protocol):
    """Makes identities. Each method returns (DID, secret); the secret is JSON-like and opaque here."""

    def new_pico(self, entropy: Entropy) -> tuple[str, Json]: ...

    def new_channel(self, entropy: Entropy) -> tuple[str, Json]:
        """For channels of the family and for capabilities over HTTP: short-lived, cheap to make."""
        ...

    def new_connection_channel(self, entropy: Entropy, pico: str) -> tuple[str, Json]:
        """For one end of a connection of `pico`: it signs and agrees keys with the other end."""
        ...


class ExampleIdentities:
    """Names without keys, `did:example:…`: for unit tests and throw-away picos in memory."""

    def _name(self, kind: str, entropy: Entropy) -> tuple[str, Json]:
        return f"did:example:{kind}{entropy(12).hex()}", None

    def new_pico(self, entropy: Entropy) -> tuple[str, Json]:
        return self._name("p", entropy)

    def new_channel(self, entropy: Entropy) -> tuple[str, Json]:
        return self._name("c", entropy)

    def new_connection_channel(self, entropy: Entropy, pico: str) -> tuple[str, Json]:
        del pico
        return self._name("n", entropy)
