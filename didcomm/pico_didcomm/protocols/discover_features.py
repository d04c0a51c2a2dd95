"""Discover features 2.0: asks what the other side understands, and answers so.

The answer is a choice: it need not name everything, and an empty one does not say that there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pico_didcomm.errors import BadMessage, LimitExceeded
from pico_didcomm.message import Message
from pico_didcomm.protocols.fields import check_type, objects, text, texts
from pico_didcomm.protocols.tables import Table, requester_table, responder_table

PROTOCOL: Final = "https://didcomm.org/discover-features/2.0"
QUERIES_TYPE: Final = f"{PROTOCOL}/queries"
DISCLOSE_TYPE: Final = f"{PROTOCOL}/disclose"

FEATURE_TYPES: Final = ("protocol", "goal-code", "header", "constraint")
"""What we know to ask and to answer; queries of other types are ignored, as the specification demands."""

QUERIES_MAX: Final = 32
DISCLOSURES_MAX: Final = 256
"""In one message: an agent's protocols, goal codes and headers together stay below a hundred."""

FEATURE_CHARS_MAX: Final = 512
"""Of a feature's id or a pattern; both are mostly protocol URIs."""

TABLES: Final[tuple[Table, ...]] = (
    requester_table(PROTOCOL, "requester", "queries", ("disclose",)),
    responder_table(PROTOCOL, "responder", "queries", ("disclose",)),
)


@dataclass(frozen=True, slots=True)
class Feature:
    """Something an agent understands; `extra` holds what its type adds (`max_receive_bytes`)."""

    feature_type: str
    id: str
    roles: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """Which features of a type are asked for; `match` may hold `*` for any text."""

    feature_type: str
    match: str


def make_queries(message_id: str, from_did: str, to_did: str, queries: Iterable[Query]) -> Message:
    """The question."""
    body = {"queries": [{"feature-type": one.feature_type, "match": one.match} for one in queries]}
    return Message(message_id, QUERIES_TYPE, body, from_=from_did, to=(to_did,))


def parse_queries(message: Message) -> tuple[Query, ...]:
    """Reads the question, queries of unknown types included."""
    check_type(message, QUERIES_TYPE)
    found = objects(message.body, "queries", QUERIES_MAX)
    if not found:
        raise BadMessage("a question about features without a query")
    return tuple(
        Query(text(one, "feature-type", FEATURE_CHARS_MAX), text(one, "match", FEATURE_CHARS_MAX))
        for one in found
    )


def make_disclose(
    message_id: str, from_did: str, to_did: str, features: Sequence[Feature], thid: str | None = None
) -> Message:
    """The answer to thread `thid`, or features that are told unasked."""
    if len(features) > DISCLOSURES_MAX:
        raise LimitExceeded(f"more than {DISCLOSURES_MAX} features in one answer")
    rows = []
    for feature in features:
        row: dict[str, Any] = {"feature-type": feature.feature_type, "id": feature.id}
        if feature.roles:
            row["roles"] = list(feature.roles)
        rows.append({**feature.extra, **row})
    return Message(message_id, DISCLOSE_TYPE, {"disclosures": rows}, from_=from_did, to=(to_did,), thid=thid)


def parse_disclose(message: Message) -> tuple[Feature, ...]:
    """Reads the answer."""
    check_type(message, DISCLOSE_TYPE)
    return tuple(
        Feature(
            text(one, "feature-type", FEATURE_CHARS_MAX),
            text(one, "id", FEATURE_CHARS_MAX),
            texts(one, "roles", 16, FEATURE_CHARS_MAX) if "roles" in one else (),
            {name: value for name, value in one.items() if name not in ("feature-type", "id", "roles")},
        )
        for one in objects(message.body, "disclosures", DISCLOSURES_MAX)
    )


def disclosed(features: Iterable[Feature], queries: Sequence[Query]) -> list[Feature]:
    """The features that some query asks for, each once."""
    return [
        feature
        for feature in features
        if any(one.feature_type == feature.feature_type and matches(one.match, feature.id) for one in queries)
    ][:DISCLOSURES_MAX]


def matches(pattern: str, feature_id: str) -> bool:
    """Whether `pattern`, in which `*` stands for any text, is all of `feature_id`. Takes linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == feature_id
    *middle, last = rest
    if not feature_id.startswith(first):
        return False
    position = len(first)
    for part in middle:
        found = feature_id.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(feature_id) - position >= len(last) and feature_id.endswith(last)
