"""The module `http`: requests to the world outside, which the node makes under its owner's egress policy.

A request that is waited for goes out in the middle of the turn; one with `autosend` goes out with the turn's
commit, and its answer comes as an event.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pico_engine.events import Event
from pico_engine.krl.directives import writing_turn
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.jsontext import decode, encode
from pico_engine.krl.modules.member import Kind, Member
from pico_engine.krl.raising import attributes, checked_name
from pico_engine.krl.values import UNDEFINED, ordered_keys, to_string, truth
from pico_engine.messages import HttpCall
from pico_engine.turn import Post
from pico_engine.values import Json, freeze

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

USER_AGENT: Final = "picomesh"
_UNRESERVED: Final = "-._~"
"""Characters of RFC 3986 §2.3 that stay as they are, besides letters and digits."""
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


def query_string(value: Value) -> str:
    """Names and values as they stand in a URL: lists as `a[0]=…`, maps as `a[b]=…`, null as empty."""
    return "&".join(f"{_escaped(name)}={_escaped(text)}" for name, text in _flat("", value))


def _escaped(text: str) -> str:
    return quote(text, safe=_UNRESERVED, errors="replace")


def _flat(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        keys = ordered_keys(value) if isinstance(value, dict) else map(str, range(len(value)))
        for key in keys:
            item = value[key] if isinstance(value, dict) else value[int(key)]
            if item is not UNDEFINED:
                yield from _flat(f"{name}[{key}]" if name else key, item)
    elif name:
        yield name, "" if value is None else to_string(value)


class _Arguments:
    """What a ruleset asks for, in the parameters' order."""

    def __init__(self, method: str, url: Value, **given: Value) -> None:
        name = f"http:{method.lower()}"
        if not truth(url):
            raise KrlRuntimeError("Error", f"{name} needs a url string")
        if type(url) is not str:
            raise type_error(f"{name} was given {to_string(url)} instead of a url string")
        self.method = method
        self.url: str = url
        self.given = given

    def request(self, run: Instance) -> tuple[str, dict[str, str], str | None]:
        """URL, headers and body."""
        given = self.given
        headers = {"user-agent": USER_AGENT}
        if isinstance(given["headers"], dict):
            headers |= {name.lower(): to_string(value) for name, value in given["headers"].items()}
        auth = given["auth"]
        if isinstance(auth, dict) and type(auth.get("username")) is str:
            password = auth.get("password")
            pair = f"{auth['username']}:{password if type(password) is str else ''}"
            headers["authorization"] = "Basic " + b64encode(pair.encode(errors="replace")).decode()
        url = f"{self.url}?{query_string(given['qs'])}" if truth(given["qs"]) else self.url
        return url, headers, self._body(run, headers)

    def _body(self, run: Instance, headers: dict[str, str]) -> str | None:
        given = self.given
        if truth(given["body"]):
            return to_string(given["body"])
        if truth(given["json"]):
            headers.setdefault("content-type", _JSON)
            text: str = encode(run, given["json"])
            return text
        if truth(given["form"]):
            headers.setdefault("content-type", _FORM)
            return query_string(given["form"])
        return None


def _perform(run: Instance, wanted: _Arguments) -> Value:
    given = wanted.given
    url, headers, body = wanted.request(run)
    follow = not truth(given["dontFollowRedirect"])
    if truth(given["autosend"]):
        _send_later(run, wanted, url, headers, body, follow=follow)
        return UNDEFINED
    call = HttpCall(0, run.pico.did, run.rid, wanted.method, url, freeze(headers), body, follow)
    answer = dict(run.pico.engine.waiting.call(run.pico, call))
    if given["parseJSON"] is True:
        answer["content"] = decode(run, answer["content"])
    run.grow(len(body or "") + len(answer["content"] if isinstance(answer["content"], str) else ""))
    if truth(given["autoraise"]):
        _raise_answer(run, wanted.method, {**answer, "label": to_string(given["autoraise"])})
    return answer


def _raise_answer(run: Instance, method: str, attrs: Json) -> None:
    turn = writing_turn(run)
    eci = turn.event.eci if turn.event is not None else ""
    kept = attributes(run, attrs)
    turn.raise_event(Event("http", method.lower(), kept, turn.eid, turn.now, eci))


def _send_later(
    run: Instance, wanted: _Arguments, url: str, headers: dict[str, str], body: str | None, *, follow: bool
) -> None:
    turn = writing_turn(run)
    turn.engine.waiting.check_may_call(run.pico)
    turn.count_call()
    event: Any = wanted.given["autosend"]
    if not isinstance(event, dict) or type(event.get("eci")) is not str or not event["eci"].strip():
        raise KrlRuntimeError(
            "Error", "missing event.eci", "autosend is a map of eci, domain, type and attrs"
        )
    kind = event.get("name") if truth(event.get("name", UNDEFINED)) else event.get("type")
    domain, kind = checked_name((event.get("domain"), kind))
    data = event.get("data")
    attrs = attributes(run, data.get("attrs") if isinstance(data, dict) else event.get("attrs"))
    eci = event["eci"].strip()
    turn.send(Post(eci, domain, kind, attrs, run.rid, wanted.method, url, freeze(headers), body, follow))


def _method(method: str, kind: Kind) -> Member:
    def call(
        run: Instance,
        url: Value = UNDEFINED,
        qs: Value = UNDEFINED,
        headers: Value = UNDEFINED,
        body: Value = UNDEFINED,
        auth: Value = UNDEFINED,
        json: Value = UNDEFINED,
        form: Value = UNDEFINED,
        parseJSON: Value = UNDEFINED,  # noqa: N803 - likewise
        autoraise: Value = UNDEFINED,
        autosend: Value = UNDEFINED,
        dontFollowRedirect: Value = UNDEFINED,  # noqa: N803 - likewise
    ) -> Value:
        wanted = _Arguments(
            method,
            url,
            qs=qs,
            headers=headers,
            body=body,
            auth=auth,
            json=json,
            form=form,
            parseJSON=parseJSON,
            autoraise=autoraise,
            autosend=autosend,
            dontFollowRedirect=dontFollowRedirect,
        )
        return _perform(run, wanted)

    return Member(kind, call)


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "get": _method("GET", "both"),
        "head": _method("HEAD", "both"),
        "post": _method("POST", "action"),
        "put": _method("PUT", "action"),
        "patch": _method("PATCH", "action"),
        "delete": _method("DELETE", "action"),
    }
)
