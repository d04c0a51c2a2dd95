"""From a request to data: limits of bodies, forms and query strings, JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pico_engine.errors import BadRequest
from pico_node.http.bodies import _SIMPLE_PAIR, pairs_to_map, parse_body, parse_json, require_map
from pico_node.http.limits import HttpLimits
from tests.node.http.helpers import ECI

LIMITS = HttpLimits()
FORM = "application/x-www-form-urlencoded"


def without_headers(attrs: dict) -> dict:
    return {name: value for name, value in attrs.items() if name != "_headers"}


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_the_limit_is_refused(worlds, announced):
    world = await worlds(limits=HttpLimits(body_max_bytes=1_000))
    head = f"POST /c/{ECI}/event-wait/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    if announced:
        raw = await world.raw(f"{head}Content-Length: 5000000\r\n\r\n{{".encode())
    else:
        raw = await world.raw(
            f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"400\r\n" + b" " * 1024 + b"\r\n"
        )
    assert b"body_max_bytes" in raw
    assert b"Connection: close" in raw
    assert world.node.calls == []


async def test_a_slow_body_is_not_waited_for(worlds):
    world = await worlds(limits=HttpLimits(body_read_max_s=0))
    raw = await world.raw(
        f"POST /c/{ECI}/event-wait/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 50\r\n\r\n{".encode()
    )
    assert b'"slow-request"' in raw
    assert raw.startswith(b"HTTP/1.1 408")


async def test_a_body_in_pieces_arrives_whole(world):
    reader, writer = await asyncio.open_connection(*world.address)
    writer.write(
        f"POST /c/{ECI}/event-wait/a/b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Connection: close\r\nContent-Length: 7\r\n\r\n".encode()
    )
    for piece in (b'{"a', b'":1', b"}"):
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(piece)
    assert b'"eid":"e1"' in await reader.read()
    writer.close()
    assert without_headers(world.node.calls[0][4]) == {"a": 1}


async def test_too_many_form_fields(worlds):
    world = await worlds(limits=HttpLimits(form_fields_max=10))
    _, body, _ = await world.ask("GET", f"/c/{ECI}/event-wait/a/b?" + "&".join(f"k{n}=1" for n in range(11)))
    assert "cannot be understood" in body["error"]


texts = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.lists(st.tuples(texts, texts), max_size=8))
def test_pairs_are_read_back(pairs):
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    expected = {key: values if len(values) > 1 else values[0] for key, values in grouped.items()}
    assert pairs_to_map(urlencode(pairs), LIMITS) == expected
    assert parse_body(urlencode(pairs).encode(), FORM, LIMITS) == expected


@given(st.from_regex(_SIMPLE_PAIR, fullmatch=True))
def test_the_short_way_of_one_plain_pair_finds_what_the_long_one_does(text):
    assert pairs_to_map(text, LIMITS) == {
        key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()
    }


@given(st.text())
def test_any_query_string_is_a_map_or_refused(text):
    with contextlib.suppress(BadRequest):
        assert all(isinstance(one, str | list) for one in pairs_to_map(text, LIMITS).values())


def test_as_many_pairs_as_the_limit_allows():
    limits = HttpLimits(form_fields_max=10)
    text = "&".join(f"k{n}=1" for n in range(10))
    assert len(pairs_to_map(text, limits)) == 10
    with pytest.raises(BadRequest, match="cannot be understood"):
        pairs_to_map(text + "&more=1", limits)


@given(st.dictionaries(texts, st.none() | st.integers(-(2**53), 2**53) | texts, max_size=4))
@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"]
)
def test_maps_of_json_are_read_back(kind, data):
    assert parse_body(json.dumps(data).encode(), kind, LIMITS) == data


@given(st.binary(max_size=60), st.sampled_from(["application/json", FORM, "text/plain", "", ";", "a+json"]))
def test_any_body_is_read_or_refused(body, kind):
    with contextlib.suppress(BadRequest):
        assert isinstance(parse_body(body, kind, LIMITS), dict | list)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"null", "null"),
        (b"true", "a truth value"),
        (b"1", "a number"),
        (b"1.5", "a number"),
        (b'"a"', "text"),
    ],
)
def test_other_json_is_told_by_its_kind(body, told):
    with pytest.raises(BadRequest, match=rf"must be a JSON object or array, not {told}$"):
        parse_body(body, "application/json", LIMITS)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json(body):
    with pytest.raises(BadRequest, match="the body is not JSON"):
        parse_json(body)


def test_a_form_that_is_not_utf_8():
    with pytest.raises(BadRequest, match="not UTF-8"):
        parse_body(b"a=\xff", FORM, LIMITS)


def test_other_kinds_count_as_nothing():
    assert parse_body(b'{"a": 1}', "text/plain", LIMITS) == {}
    assert parse_body(b"", "", LIMITS) == {}


def test_attributes_have_names():
    assert require_map({"a": 1}) == {"a": 1}
    with pytest.raises(BadRequest, match=re.escape("not an array")):
        require_map([1])
