"""did:web without the fetch: the URL that a DID names, and the check of what was found there.

The fetch is the edge's: it must obey the node's egress policy, follow no redirect to another host, and read
no more than `DOCUMENT_BYTES_MAX`.
"""

from __future__ import annotations

import re
from typing import Final

from pico_didcomm.did.document import DidDocument, check_did, parse_document
from pico_didcomm.encoding import strict_json_object
from pico_didcomm.errors import BadDid, LimitExceeded, Malformed

PREFIX: Final = "did:web:"

DOCUMENT_BYTES_MAX: Final = 65_536
"""Of a fetched document: a company's with dozens of keys stays below it."""

# A name with at least one letter in its last label, which no IP address has (the method forbids those).
_HOST: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")


def did_web_url(did: str) -> str:
    """The https URL of a did:web's document. BadDid for what is none, or names an IP address."""
    check_did(did)
    if not did.startswith(PREFIX):
        raise BadDid("not a did:web")
    authority, *path = did[len(PREFIX) :].split(":")
    host, mark, port = re.sub("%3a", "%3A", authority).partition("%3A")
    if _HOST.fullmatch(host) is None or len(host) > 253:
        raise BadDid("a did:web whose host is not a domain name", "IP addresses are not allowed in a did:web")
    if mark and (_PORT.fullmatch(port) is None or int(port) > 65_535):
        raise BadDid("a did:web whose port is not a number up to 65535")
    if not all(_SEGMENT.fullmatch(segment) for segment in path):
        raise BadDid("a did:web with a path that is not plain names")
    base = f"https://{host.lower()}" + (f":{port}" if mark else "")
    return "/".join((base, *path, "did.json")) if path else f"{base}/.well-known/did.json"


def read_did_web(did: str, body: bytes) -> DidDocument:
    """The document that was found at the URL of `did`; it must be this DID's."""
    did_web_url(did)
    if len(body) > DOCUMENT_BYTES_MAX:
        raise LimitExceeded(f"a DID document of {len(body)} bytes; at most {DOCUMENT_BYTES_MAX} are read")
    try:
        raw = strict_json_object(body, "a DID document")
    except Malformed as error:
        raise BadDid(f"the document of {did}: {error}") from error
    if raw.get("id") != did:
        raise BadDid("a did:web whose document is of another DID")
    return parse_document(did, raw)
