"""Channels: the doors of a pico. A channel has an ECI (a DID), tags, policies, and says who may enter.

Who may enter (`doors`):
- `http`: whoever knows the ECI, over HTTP or from a pico of the same engine; for devices and old clients.
- `didcomm`: only the channel at the other end (`peer`), proven by the envelope, or by owning it when both
  picos live in this engine. While a subscription is being arranged it has no peer yet and admits picos of
  the same engine that were told the ECI.
- `family`: only the related pico (`family` names it), a parent, a child or the pico itself.

What may pass is for the policies: deny first, then some allow must match (existing engine, §2f).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from pico_engine.errors import BadRequest
from pico_engine.values import FrozenMap, Json, freeze

HTTP, DIDCOMM, FAMILY = "http", "didcomm", "family"
DOORS = (HTTP, DIDCOMM, FAMILY)

_NOT_IN_TAG = re.compile(r"[^a-z0-9_-]")
TAGS_MAX = 32
TAG_MAX_CHARS = 128
POLICY_ENTRIES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Pairs that may pass; `*` stands for anything. Events: (domain, name). Queries: (rid, name)."""

    allow: tuple[tuple[str, str], ...] = ()
    deny: tuple[tuple[str, str], ...] = ()

    def admits(self, first: str, second: str) -> bool:
        return not _matches(self.deny, first, second) and _matches(self.allow, first, second)

    def refusal(self, first: str, second: str) -> str:
        """What the policy does with something that it does not admit, as a verb."""
        return DENIES if _matches(self.deny, first, second) else "does not allow"


def _matches(pairs: Iterable[tuple[str, str]], first: str, second: str) -> bool:
    return any((a in ("*", first)) and (b in ("*", second)) for a, b in pairs)


ALLOW_ALL = Policy(allow=(("*", "*"),))
ALLOW_NONE = Policy()

DENIES: Final = "denies"
"""The verb of what a policy names, apart from what it does not mention."""

_EVENT_FIELDS = ("domain", "name")
_QUERY_FIELDS = ("rid", "name")


def parse_policy(data: Json, *, query: bool) -> Policy:
    """A policy from its JSON form `{"allow": [{"domain", "name"}], "deny": [...]}` (queries: rid, name).

    Both keys are required and no other is taken, as in the existing engine. Raises BadRequest.
    """
    fields = _QUERY_FIELDS if query else _EVENT_FIELDS
    kind = "queryPolicy" if query else "eventPolicy"
    if not isinstance(data, Mapping) or set(data) != {"allow", "deny"}:
        raise BadRequest(f"{kind} must be a map with exactly the keys allow and deny")
    sides = []
    for side in ("allow", "deny"):
        entries = data[side]
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise BadRequest(f"{kind}.{side} must be a list")
        if len(entries) > POLICY_ENTRIES_MAX:
            raise BadRequest(f"{kind}.{side} has more than {POLICY_ENTRIES_MAX} entries")
        pairs = []
        for entry in entries:
            if (
                not isinstance(entry, Mapping)
                or set(entry) != set(fields)
                or not all(isinstance(entry[name], str) for name in fields)
            ):
                raise BadRequest(f"each entry of {kind}.{side} must be a map of {fields[0]} and {fields[1]}")
            pairs.append((entry[fields[0]], entry[fields[1]]))
        sides.append(tuple(pairs))
    return Policy(allow=sides[0], deny=sides[1])


def policy_to_json(policy: Policy, *, query: bool) -> Json:
    first, second = _QUERY_FIELDS if query else _EVENT_FIELDS
    return {
        "allow": [{first: a, second: b} for a, b in policy.allow],
        "deny": [{first: a, second: b} for a, b in policy.deny],
    }


def clean_tags(tags: Iterable[object], *, system: bool = False) -> tuple[str, ...]:
    """Tags as the existing engine keeps them: trimmed, lower case, other characters as `-`.

    Raises BadRequest for the reserved tag `system`, and for too many or too long ones.
    """
    if isinstance(tags, str):
        raise BadRequest("a channel's tags are a list, not one text", f"write [{tags!r}]")
    cleaned = tuple(_NOT_IN_TAG.sub("-", str(tag).strip().lower()) for tag in tags)
    if len(cleaned) > TAGS_MAX or any(len(tag) > TAG_MAX_CHARS for tag in cleaned):
        raise BadRequest(f"a channel has at most {TAGS_MAX} tags of {TAG_MAX_CHARS} characters")
    if "system" in cleaned and not system:
        raise BadRequest("the tag `system` is reserved for family channels", "choose another tag")
    return cleaned


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `secret` is what its identity needs to prove itself; opaque here, never shown."""

    eci: str
    tags: tuple[str, ...] = ()
    event_policy: Policy = ALLOW_ALL
    query_policy: Policy = ALLOW_ALL
    doors: tuple[str, ...] = (HTTP,)
    family: str | None = None
    peer: str | None = None
    secret: Json = field(default=None, repr=False)
    order: int = 0
    """Its place among the pico's channels, by when it was made: rulesets take the newest for the last."""
    _admitted: dict[tuple[str, str, str], bool] = field(default_factory=dict, repr=False, compare=False)

    def admits_event(self, domain: str, name: str) -> bool:
        return self._admits("event", self.event_policy, domain, name)

    def admits_query(self, rid: str, name: str) -> bool:
        return self._admits("query", self.query_policy, rid, name)

    def _admits(self, kind: str, policy: Policy, first: str, second: str) -> bool:
        key = (kind, first, second)
        known = self._admitted.get(key)
        if known is None:
            if len(self._admitted) >= POLICY_ENTRIES_MAX:
                self._admitted.clear()
            known = self._admitted[key] = policy.admits(first, second)
        return known

    def changed(self, **changes: Any) -> Channel:
        """A copy with other values (and nothing remembered of what the old policies admitted)."""
        return replace(self, _admitted={}, **changes)

    def to_json(self) -> Json:
        """What is stored: everything, the secret too."""
        data = self.describe()
        data["doors"] = list(self.doors)
        data["peer"] = self.peer
        data["secret"] = self.secret
        data["order"] = self.order
        return data

    @staticmethod
    def from_json(data: Json) -> Channel:
        return Channel(
            eci=data["id"],
            tags=tuple(data["tags"]),
            event_policy=parse_policy(data["eventPolicy"], query=False),
            query_policy=parse_policy(data["queryPolicy"], query=True),
            doors=tuple(data["doors"]),
            family=data["familyChannelPicoID"],
            peer=data["peer"],
            secret=freeze(data["secret"]),
            order=data.get("order", 0),
        )

    def describe(self) -> dict[str, Json]:
        """What rulesets and queries see; the keys are the existing engine's (§2f)."""
        return {
            "id": self.eci,
            "tags": list(self.tags),
            "eventPolicy": policy_to_json(self.event_policy, query=False),
            "queryPolicy": policy_to_json(self.query_policy, query=True),
            "familyChannelPicoID": self.family,
        }

    def overview(self) -> FrozenMap:
        """What the owner sees: `describe` and who may enter."""
        return cast("FrozenMap", freeze({**self.describe(), "doors": self.doors, "peer": self.peer}))
