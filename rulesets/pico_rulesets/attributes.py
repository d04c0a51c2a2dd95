"""What the built-in rulesets ask of an event's attributes, and what they hand on of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pico_engine import Event
from pico_engine.errors import BadAttributes, BadRequest
from pico_engine.values import Json, decode

_OF_THE_DOOR = "_headers"
"""The HTTP request's headers, which the HTTP door adds; the business of no other pico."""


def handed_on(event: Event, /, **more: Json) -> dict[str, Json]:
    """The event's attributes and `more`, for one raised in the same pico, whose rules see the first as well.

    Applications look for the `referer` among the headers, to send the browser back.
    """
    return {**event.attrs, **more}


def passed_on(event: Event, /, **more: Json) -> dict[str, Json]:
    """Likewise for an event that is sent or kept: without the request's headers."""
    attrs = {name: value for name, value in event.attrs.items() if name != _OF_THE_DOOR}
    return {**attrs, **more}


def required_text(event: Event, name: str) -> str:
    """An attribute that must be there; a number counts as its text. Raises BadAttributes."""
    value = event.attr(name)
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BadAttributes(
        f"{event.name} needs the attribute {name!r}", f"send {name} as text that is not empty"
    )


def parsed(event: Event, name: str) -> Any:
    """A map or list; from a URL or a form it comes as JSON text. None when missing. Raises BadAttributes."""
    value = event.attr(name)
    if not isinstance(value, str):
        return value
    try:
        return decode(value.encode())
    except BadRequest as error:
        raise BadAttributes(
            f"the attribute {name!r} of {event.name} is text that is not JSON", f"send {name} as JSON"
        ) from error


def parsed_map(event: Event, name: str) -> Mapping[str, Json]:
    """Like `parsed`, but a map; empty when missing. Raises BadAttributes."""
    value = parsed(event, name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadAttributes(f"the attribute {name!r} of {event.name} must be a map")
    return value


def tag_list(value: Json) -> list[str]:
    """Tags given as a list, or as text with commas."""
    if isinstance(value, str):
        return value.split(",")
    if not isinstance(value, list | tuple):
        raise BadAttributes("tags are a list, or text with commas between them")
    return [str(tag) for tag in value]
