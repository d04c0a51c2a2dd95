"""Kinds of parameters of the owner's API: how each is checked, and its JSON schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pico_engine.errors import BadRequest
from pico_engine.values import Json

NAME_MAX_CHARS = 4_096
"""Names, DIDs, ECIs, roles; a long did:peer:4 has about 1,000 characters, an invitation's URL about 3,000."""
ITEMS_MAX = 1_000
"""Tags or ruleset ids in one request."""
MOST_MAX = 10_000
"""Rows in one answer."""
EXPIRES_MIN_S, EXPIRES_MAX_S = 60, 365 * 24 * 3_600
"""An invitation shorter than a minute cannot be used; one longer than a year is forgotten."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`admits` says whether a JSON value fits; `wanted` completes the sentence "… must be"."""

    wanted: str
    schema: dict[str, Json]
    admits: Callable[[Json], bool]


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and len(value) <= NAME_MAX_CHARS


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and len(value) <= ITEMS_MAX and all(_is_text(item) for item in value)


def _is_whole(value: Json, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def whole(least: int, most: int) -> Kind:
    return Kind(
        f"a whole number from {least:,} to {most:,}",
        {"type": "integer", "minimum": least, "maximum": most},
        lambda value: _is_whole(value, least, most),
    )


TEXT = Kind(
    f"text of at most {NAME_MAX_CHARS:,} characters",
    {"type": "string", "maxLength": NAME_MAX_CHARS},
    _is_text,
)
TEXTS = Kind(
    f"a list of at most {ITEMS_MAX:,} texts",
    {"type": "array", "maxItems": ITEMS_MAX, "items": {"type": "string"}},
    _is_texts,
)
MAP = Kind("a JSON object", {"type": "object"}, lambda value: isinstance(value, dict))
MAP_OR_LIST = Kind(
    "a JSON object or array", {"type": ["object", "array"]}, lambda value: isinstance(value, dict | list)
)
EVENT_NAME = Kind(
    "text of the form domain:type",
    {"type": "string", "pattern": "^[^:]+:.+$", "maxLength": NAME_MAX_CHARS},
    lambda value: _is_text(value) and all(value.partition(":")[::2]),
)
MOST = whole(1, MOST_MAX)
EXPIRES = whole(EXPIRES_MIN_S, EXPIRES_MAX_S)


DIGITS_MAX = 18
"""Of a number in a query string: no 64-bit number needs more, and Python itself refuses thousands."""


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, in the path, the query string or the body (`place`)."""

    name: str
    kind: Kind
    about: str
    place: str = "body"
    required: bool = False

    def check(self, value: Json) -> Json:
        """The value (of a query string: its number). Raises BadRequest."""
        if self.place == "query" and self.kind.schema["type"] == "integer":
            plain = (
                isinstance(value, str) and len(value) <= DIGITS_MAX and value.isascii() and value.isdigit()
            )
            value = int(value) if plain else value
        if not self.kind.admits(value):
            raise BadRequest(f"`{self.name}` must be {self.kind.wanted}")
        return value


def check_fields(fields: tuple[Field, ...], given: dict[str, Json], where: str) -> dict[str, Json]:
    """`given` if it holds every required field and no unknown one. Raises BadRequest."""
    known = {field.name: field for field in fields}
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(known) or "none"
        raise BadRequest(f"the {where} has an unknown field `{unknown[0][:100]}`", f"known here: {names}")
    missing = [field.name for field in fields if field.required and field.name not in given]
    if missing:
        raise BadRequest(f"the {where} lacks the field `{missing[0]}`", f"add it: {known[missing[0]].about}")
    return {name: known[name].check(value) for name, value in given.items()}
