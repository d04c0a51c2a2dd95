"""From a request to data: reading the body within limits, query strings, forms, JSON."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from pico_engine.errors import BadRequest, LimitExceeded
from pico_engine.values import Json
from pico_node.http.limits import HttpLimits
from pico_node.http.problems import SlowRequest

_FORM_TYPE = "application/x-www-form-urlencoded"
_SIMPLE_PAIR = re.compile(r"[A-Za-z0-9_.-]+=[A-Za-z0-9_.:-]*")
_JSON_TYPES = frozenset({"application/json", "application/octet-stream", "application/ssi-agent-wire"})


def body_at_hand(request: web.BaseRequest, limits: HttpLimits) -> bytes | None:
    """The body if it is there already, as with most small events; None: it has to be waited for."""
    content = request.content
    if content.is_eof() and content.total_bytes <= limits.body_max_bytes:
        return content.read_nowait()
    return None


async def read_body(request: web.BaseRequest, limits: HttpLimits) -> bytes:
    """The whole body. Raises LimitExceeded, SlowRequest."""
    data = body_at_hand(request, limits)
    if data is not None:
        return data
    if (request.content_length or 0) > limits.body_max_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_read_max_s):
            return await request.read()
    except TimeoutError:
        raise SlowRequest(f"the body did not arrive within {limits.body_read_max_s} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(limits) from None
    except web.RequestPayloadError as error:
        raise BadRequest(f"the body ended badly: {error}") from None


def _too_large(limits: HttpLimits) -> LimitExceeded:
    return LimitExceeded(f"the body is larger than body_max_bytes, {limits.body_max_bytes:,}")


def pairs_to_map(text: str, limits: HttpLimits) -> dict[str, Json]:
    """A query string or urlencoded body as a map; a key that comes again makes a list. Raises BadRequest."""
    if not text:
        return {}
    if _SIMPLE_PAIR.fullmatch(text):  # one plain pair: a general parse would cost five times as much
        key, _, value = text.partition("=")
        return {key: value}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=limits.form_fields_max)
    except ValueError as error:
        raise BadRequest(f"the query string or form cannot be understood: {error}") from None
    result: dict[str, Json] = {}
    for key, value in pairs:
        if key not in result:
            result[key] = value
        elif isinstance(result[key], list):
            result[key].append(value)
        else:
            result[key] = [result[key], value]
    return result


def parse_body(body: bytes, content_type: str, limits: HttpLimits) -> dict[str, Json] | list[Json]:
    """A channel URL's body: a map of JSON or a form, or a JSON list; other kinds count as nothing sent.

    Raises BadRequest.
    """
    kind = content_type
    if kind not in _JSON_TYPES:
        kind = kind.partition(";")[0].strip().lower()
    if kind in _JSON_TYPES or kind.endswith("+json"):
        data = parse_json(body)
        if not isinstance(data, dict | list):
            raise BadRequest(f"the body must be a JSON object or array, not {_json_kind(data)}")
        return data
    if kind == _FORM_TYPE:
        try:
            return pairs_to_map(body.decode("utf-8"), limits)
        except UnicodeDecodeError:
            raise BadRequest("the form is not UTF-8 text") from None
    return {}


def parse_json(body: bytes) -> Json:
    """Raises BadRequest, whose text says where the JSON breaks."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def _json_kind(data: Json) -> str:
    if data is None:
        return "null"
    return {bool: "a truth value", int: "a number", float: "a number", str: "text"}.get(type(data), "that")


def require_map(data: Mapping[str, Json] | list[Json]) -> Mapping[str, Json]:
    """Raises BadRequest for a list: an event's attributes have names."""
    if isinstance(data, list):
        raise BadRequest("an event's attributes must be a JSON object, not an array")
    return data
