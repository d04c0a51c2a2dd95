"""did:peer methods 0 and 2: keys (and services) written into the DID itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pico_didcomm.did.document import DidDocument, check_did, parse_document
from pico_didcomm.did.key import resolve_did_key
from pico_didcomm.encoding import (
    JsonObject,
    b64url_decode,
    b64url_encode,
    json_bytes,
    multibase_encode,
    strict_json,
)
from pico_didcomm.errors import BadDid, BadKey, DidError, Malformed
from pico_didcomm.keys import PublicKey, public_key_from_multibase

PEER_0: Final = "did:peer:0"
PEER_2: Final = "did:peer:2."

ELEMENTS_MAX: Final = 32
"""Keys and services in one did:peer:2; each becomes an entry of the document."""

_CONTEXT: Final = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
# Purpose codes of the peer DID method specification; `S` (service) is read apart.
_PURPOSES: Final = {
    "A": "assertionMethod",
    "D": "capabilityDelegation",
    "E": "keyAgreement",
    "I": "capabilityInvocation",
    "V": "authentication",
}
_ABBREVIATIONS: Final = {"t": "type", "s": "serviceEndpoint", "r": "routingKeys", "a": "accept"}
_ABBREVIATED: Final[Mapping[str, str]] = {name: letter for letter, name in _ABBREVIATIONS.items()}
KeyIds = Literal["numbered", "cut", "whole"]
"""How a did:peer:2 names its keys: `#key-1` (since August 2023), by the first eight characters of their
text without the z (SICPA peerdid up to 0.4), or by all of it (the existing pico-engine)."""

_LEGACY_ID_CHARS: Final = 8
"""Software before August 2023 names a key by the first characters of its multibase text, without the z."""


def make_peer_0(key: PublicKey) -> str:
    """did:peer:0: a did:key under another name."""
    return PEER_0 + key.multibase()


def resolve_peer_0(did: str) -> DidDocument:
    """The document of a did:peer:0, keys named as did:key names them and as older peer DID software does."""
    check_did(did)
    try:
        raw = dict(resolve_did_key("did:key:" + did[len(PEER_0) :]).raw)
    except DidError as error:
        raise BadDid(f"not a did:peer:0: {error}") from error
    raw["id"] = did
    names = {}
    aliases: dict[str, PublicKey] = {}
    for method in raw["verificationMethod"]:
        text = method["publicKeyMultibase"]
        names[method["id"]] = f"#{text}"
        method |= {"id": f"#{text}", "controller": did}
        aliases |= _aliases(text)
    for purpose in _PURPOSES.values():
        if purpose in raw:
            raw[purpose] = [names[name] for name in raw[purpose]]
    return parse_document(did, raw, aliases)


def make_peer_2(
    keys: Iterable[tuple[str, PublicKey]],
    services: Iterable[Mapping[str, Any]] = (),
    *,
    legacy_service: bool = False,
) -> str:
    """did:peer:2 from (purpose code, key) pairs and service objects.

    `legacy_service` writes the endpoint as text with `routingKeys` and `accept` beside it, as software
    before August 2023 (the existing pico-engine among it) reads it.
    """
    elements = [purpose + key.multibase() for purpose, key in keys]
    if unknown := {element[0] for element in elements} - set(_PURPOSES):
        raise BadDid(f"unknown purpose codes {sorted(unknown)}")
    elements += ["S" + b64url_encode(json_bytes(_abbreviate(s, legacy_service))) for s in services]
    return PEER_2 + ".".join(elements)


def resolve_peer_2(did: str, *, key_ids: KeyIds = "numbered") -> DidDocument:
    """The document of a did:peer:2.

    `key_ids` says how its keys are named, and so which key ids envelopes for it carry; whichever the
    document shows, a key is found under all of its names.
    """
    check_did(did)
    if not did.startswith(PEER_2):
        raise BadDid("not a did:peer:2")
    elements = did[len(PEER_2) :].split(".")
    if len(elements) > ELEMENTS_MAX:
        raise BadDid(f"a did:peer:2 with more than {ELEMENTS_MAX} elements")
    methods: list[JsonObject] = []
    services: list[JsonObject] = []
    relationships: dict[str, list[str]] = {}
    aliases: dict[str, PublicKey] = {}
    try:
        for element in elements:
            if element[:1] == "S":
                services += _read_services(element[1:], len(services), key_ids != "numbered")
                continue
            purpose = _PURPOSES.get(element[:1])
            if purpose is None:
                raise BadDid(f"unknown purpose code {element[:1]!a} in a did:peer:2")
            text = element[1:]
            name = "#" + _key_name(text, len(methods) + 1, key_ids)
            aliases |= _aliases(text) | {f"key-{len(methods) + 1}": public_key_from_multibase(text)}
            methods.append({"type": "Multikey", "id": name, "controller": did, "publicKeyMultibase": text})
            relationships.setdefault(purpose, []).append(name)
    except (Malformed, BadKey) as error:
        raise BadDid(f"not a did:peer:2: {error}") from error
    raw: JsonObject = {"@context": _CONTEXT, "id": did, "verificationMethod": methods, **relationships}
    if services:
        raw["service"] = services
    raw["alsoKnownAs"] = [peer_3_of_peer_2(did)]
    return parse_document(did, raw, aliases)


def peer_3_of_peer_2(did: str) -> str:
    """The did:peer:3 that stands for a did:peer:2: the hash of its text after the method number."""
    digest = hashlib.sha256(did[len("did:peer:2") :].encode()).digest()
    return "did:peer:3" + multibase_encode(b"\x12\x20" + digest)


def _key_name(text: str, number: int, key_ids: KeyIds) -> str:
    if key_ids == "numbered":
        return f"key-{number}"
    return text[1:] if key_ids == "whole" else text[1 : 1 + _LEGACY_ID_CHARS]


def _aliases(text: str) -> dict[str, PublicKey]:
    key = public_key_from_multibase(text)
    return {text: key, text[1:]: key, text[1 : 1 + _LEGACY_ID_CHARS]: key}


def _abbreviate(service: Mapping[str, Any], legacy: bool) -> JsonObject:
    short = {_ABBREVIATED.get(name, name): value for name, value in service.items() if name != "id"}
    if short.get("t") == "DIDCommMessaging":
        short["t"] = "dm"
    endpoint = short.get("s")
    if isinstance(endpoint, Mapping):
        inner: JsonObject = {_ABBREVIATED.get(name, name): value for name, value in endpoint.items()}
        if legacy:
            short |= {"s": inner.pop("uri", ""), **inner}
        else:
            short["s"] = inner
    return short


def _read_services(text: str, count: int, legacy_ids: bool) -> list[JsonObject]:
    value = strict_json(b64url_decode(text))
    blocks: Sequence[Any] = value if isinstance(value, list) else [value]
    services = []
    for i, block in enumerate(blocks, count):
        if not isinstance(block, dict) or i >= ELEMENTS_MAX:
            raise BadDid("a did:peer:2 service that is not an object, or too many of them")
        service = _expand(block)
        if service.get("type") == "dm":
            service["type"] = "DIDCommMessaging"
        # One string with its routing keys beside it (the older form) means the same as the object form.
        if isinstance(endpoint := service.get("serviceEndpoint"), dict):
            service["serviceEndpoint"] = _expand(endpoint)
        elif isinstance(endpoint, str) and service.get("type") == "DIDCommMessaging":
            service = _legacy_service(service, endpoint)
        if legacy_ids:
            service["id"] = f"#{str(service.get('type')).lower()}-{i}"
        elif "id" not in service:
            service["id"] = "#service" if i == 0 else f"#service-{i}"
        services.append(service)
    return services


def _expand(value: Mapping[str, Any]) -> JsonObject:
    return {_ABBREVIATIONS.get(name, name): item for name, item in value.items()}


def _legacy_service(service: JsonObject, endpoint: str) -> JsonObject:
    inner: JsonObject = {"uri": endpoint}
    inner |= {name: service.pop(name) for name in ("accept", "routingKeys") if name in service}
    return {**service, "serviceEndpoint": inner}
