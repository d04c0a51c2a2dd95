"""The DIDComm services of a DID document: where messages for it go, in every form in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pico_didcomm.did.document import DidDocument
from pico_didcomm.errors import BadDid

SERVICE_TYPE: Final = "DIDCommMessaging"
PROFILE: Final = "didcomm/v2"
"""What a DIDComm v2 reader writes into `accept`."""

QUEUE_URI: Final = "didcomm:transport/queue"
"""The endpoint of who has none: messages wait at their sender (extension "return route")."""

ENDPOINTS_MAX: Final = 16
"""Endpoints of one document; a sender tries them in order, and each may cost a connection."""

ROUTING_KEYS_MAX: Final = 8
"""Mediators before one endpoint: each makes the message a third longer."""

URI_CHARS_MAX: Final = 8_192
"""An endpoint may be a long did:peer."""

_STANDARD: Final = frozenset(("uri", "accept", "routingKeys"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to reach the subject of a document.

    `extra` holds members that a transport adds, such as libp2p's `multiAddrs`.
    """

    uri: str
    accept: tuple[str, ...] = ()
    routing_keys: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """The URI's scheme in lower case: `https`, `did`, `libp2p-peerId` as `libp2p-peerid`."""
        return self.uri.partition(":")[0].lower()

    @property
    def takes_v2(self) -> bool:
        """Whether DIDComm v2 messages are welcome; who does not say takes them."""
        return not self.accept or PROFILE in self.accept


def endpoints_of(document: DidDocument) -> tuple[Endpoint, ...]:
    """The endpoints of a document's DIDComm services, in its order of preference.

    `serviceEndpoint` may be an object, a list of them, or text with `accept` and `routingKeys` beside it
    (the form before August 2023). BadDid for a DIDComm service that is none of these.
    """
    found: list[Endpoint] = []
    for service in document.services_of_type(SERVICE_TYPE):
        value = service.get("serviceEndpoint")
        for entry in value if isinstance(value, list) else [value]:
            found.append(_endpoint(entry, service))
            if len(found) > ENDPOINTS_MAX:
                raise BadDid(f"the DID document has more than {ENDPOINTS_MAX} endpoints")
    return tuple(found)


def _endpoint(entry: object, service: Mapping[str, Any]) -> Endpoint:
    if isinstance(entry, str):
        entry = {
            "uri": entry,
            **{name: service[name] for name in ("accept", "routingKeys") if name in service},
        }
    if not isinstance(entry, dict):
        raise BadDid("a DIDComm service whose serviceEndpoint is neither text nor an object")
    uri = entry.get("uri")
    if not isinstance(uri, str) or not 0 < len(uri) <= URI_CHARS_MAX or ":" not in uri:
        raise BadDid("a DIDComm service whose endpoint has no URI")
    return Endpoint(
        uri,
        _texts(entry, "accept", 16),
        _texts(entry, "routingKeys", ROUTING_KEYS_MAX),
        {name: value for name, value in entry.items() if name not in _STANDARD},
    )


def _texts(entry: Mapping[str, Any], name: str, count_max: int) -> tuple[str, ...]:
    values = entry.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadDid(f"a DIDComm service whose {name} is not a list of texts")
    if len(values) > count_max:
        raise BadDid(f"a DIDComm service with more than {count_max} entries under {name}")
    return tuple(values)
