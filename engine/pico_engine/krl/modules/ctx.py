"""The module `ctx`: the pico, its family, its channels and its rulesets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pico_engine.channels import ALLOW_ALL, HTTP, clean_tags, parse_policy
from pico_engine.definition import as_written
from pico_engine.krl.directives import writing_turn
from pico_engine.krl.errors import KrlRuntimeError, type_error
from pico_engine.krl.modules import meta
from pico_engine.krl.modules.calendar import iso_text
from pico_engine.krl.modules.event import send_event
from pico_engine.krl.modules.member import Member
from pico_engine.krl.raising import attributes, checked_name
from pico_engine.krl.values import UNDEFINED, isnull, to_json, to_string, typeof
from pico_engine.values import EMPTY_MAP, Json, freeze

if TYPE_CHECKING:
    from pico_engine.channels import Policy
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value


_TOLD: Final = frozenset({"version", "name", "description", "author", "provides", "shares"})
"""Of what a ruleset says of itself, in `krlMeta`."""
_STEPS_PER_PICO: Final = 5_000
"""To make a pico with its channels takes as long as so many calls."""
_STEPS_PER_CHANNEL: Final = 500
_STEPS_PER_ROW: Final = 50
_BYTES_PER_ROW: Final = 500


def _count(run: Instance, rows: int) -> None:
    """Counts reading so many channels, children or entries, and the maps that tell of them."""
    run.step(_STEPS_PER_ROW * rows)
    run.grow(_BYTES_PER_ROW * rows)


def _meta_text(name: str) -> Member:
    def call(run: Instance) -> Value:
        return run.program.blueprint.texts[name] or None

    return Member("property", call)


# -- the family ---------------------------------------------------------------------------------------------


def _parent(run: Instance) -> Value:
    return run.pico.info.get("parent_eci")


def _children(run: Instance) -> Value:
    _count(run, len(run.pico.children.rows))
    rows = sorted(run.pico.children.rows.values(), key=lambda row: row["order"])
    return [row["eci"] for row in rows]


def _new_pico(run: Instance, rulesets: Value = UNDEFINED) -> Value:
    """Makes a child with rulesets from URLs; answers the channel that leads to it."""
    if not isinstance(rulesets, list):
        raise type_error("ctx:newPico expects an array of {url, config}")
    engine, pico = run.pico.engine, run.pico
    wanted = []
    for one in rulesets:
        url = _url(one.get("url") if isinstance(one, dict) else UNDEFINED)
        engine.installing.edition(pico, url)  # fetched by the parent, whose turn this is
        wanted.append((url, _map(run, one.get("config"))))
    run.step(_STEPS_PER_PICO)
    made = engine.family.new_child(pico, "", ())
    child = engine.pico(made["did"])
    for url, config in wanted:
        engine.installing.install(child, url, config)
    return made["eci"]


def _del_pico(run: Instance, eci: Value = UNDEFINED) -> Value:
    run.pico.engine.family.delete_child(run.pico, to_string(eci))
    return UNDEFINED


# -- channels -----------------------------------------------------------------------------------------------


def _channels(run: Instance) -> Value:
    channels = run.pico.all_channels()
    _count(run, len(channels))
    return [freeze(channel.describe()) for channel in channels]


def _policy(run: Instance, value: Value, *, query: bool) -> Policy:
    if isnull(value):
        return ALLOW_ALL  # as the existing engine has it
    return parse_policy(freeze(to_json(value, run)), query=query)


def _tags(run: Instance, value: Value) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise type_error(f"a channel's tags are an Array, not {typeof(value)}")
    return clean_tags(freeze(to_json(value, run)))


def _new_channel(
    run: Instance,
    tags: Value = UNDEFINED,
    eventPolicy: Value = UNDEFINED,  # noqa: N803 - KRL's own names
    queryPolicy: Value = UNDEFINED,  # noqa: N803 - likewise
) -> Value:
    events, queries = _policy(run, eventPolicy, query=False), _policy(run, queryPolicy, query=True)
    run.step(_STEPS_PER_CHANNEL)
    family = run.pico.engine.family
    return freeze(family.new_channel(run.pico, _tags(run, tags), events, queries, (HTTP,)).describe())


def _put_channel(
    run: Instance,
    eci: Value = UNDEFINED,
    tags: Value = UNDEFINED,
    eventPolicy: Value = UNDEFINED,  # noqa: N803 - KRL's own names
    queryPolicy: Value = UNDEFINED,  # noqa: N803 - likewise
) -> Value:
    changes = {
        "tags": _tags(run, tags),
        "event_policy": _policy(run, eventPolicy, query=False),
        "query_policy": _policy(run, queryPolicy, query=True),
    }
    run.pico.engine.family.change_channel(run.pico, to_string(eci), changes)
    return UNDEFINED


def _upsert_channel(
    run: Instance,
    tags: Value = UNDEFINED,
    eventPolicy: Value = UNDEFINED,  # noqa: N803 - KRL's own names
    queryPolicy: Value = UNDEFINED,  # noqa: N803 - likewise
) -> Value:
    """Changes the channel with exactly these tags, or makes it."""
    wanted = sorted(_tags(run, tags))
    for channel in run.pico.all_channels():
        if sorted(channel.tags) == wanted:
            return _put_channel(run, channel.eci, tags, eventPolicy, queryPolicy)
    _new_channel(run, tags, eventPolicy, queryPolicy)
    return UNDEFINED


def _del_channel(run: Instance, eci: Value = UNDEFINED) -> Value:
    run.pico.engine.family.delete_channel(run.pico, to_string(eci))
    return UNDEFINED


# -- rulesets -----------------------------------------------------------------------------------------------


def _rulesets(run: Instance) -> Value:
    """{rid, config, url, meta} of each; `meta` as the existing engine gives it, None where it is missing.

    A ruleset in Python has a URL that names it, and no source. Applications show them all alike.
    """
    pico, library = run.pico, run.pico.engine.library
    found = []
    for one in pico.engine.family.installed(pico):
        _count(run, 4)
        digest, url, told = one.get("hash"), one.get("url"), one["meta"]
        edition = library.edition(url) if url is not None else None
        told_meta = None
        if told is not None:
            definition = pico.definition(one["rid"])
            used = definition.uses if definition is not None else ()
            told_meta = {
                "krl": (library.text(digest) if digest is not None else None) or "",
                "krlMeta": {
                    **{key: value for key, value in as_written(told).items() if key in _TOLD},
                    "use": [{"kind": "module", "rid": rid} for rid in used],
                },
                "hash": digest or "",
                "flushed": iso_text(edition.flushed_ms if edition is not None else 0),
                "compiler": {"version": told["language"], "warnings": []},
            }
        found.append(
            {
                "rid": one["rid"],
                "config": one["config"],
                "url": url or f"picomesh:{one['rid']}",
                "meta": told_meta,
            }
        )
    return freeze(found)


def _url(value: Value) -> str:
    if type(value) is not str:
        raise type_error(f"Expected string for url but got {typeof(value)}")
    return value


def _map(run: Instance, value: Value) -> Json:
    return EMPTY_MAP if value is None or isnull(value) else freeze(to_json(value, run))


def _install(run: Instance, url: Value = UNDEFINED, config: Value = UNDEFINED) -> Value:
    run.pico.engine.check_may_write(run.pico)
    made = run.pico.engine.installing.install(run.pico, _url(url), _map(run, config))
    return made["rid"]


def _uninstall(run: Instance, rid: Value = UNDEFINED) -> Value:
    if type(rid) is not str:
        raise type_error(f"Expected string for rid but got {typeof(rid)}")
    if run.pico.installed.get(rid) is not None:
        run.pico.engine.family.uninstall(run.pico, rid)
    return UNDEFINED


def _flush(run: Instance, url: Value = UNDEFINED) -> Value:
    run.pico.engine.installing.flush(run.pico, _url(url))
    return UNDEFINED


# -- other picos --------------------------------------------------------------------------------------------


def _event(
    run: Instance,
    eci: Value = UNDEFINED,
    domain: Value = UNDEFINED,
    name: Value = UNDEFINED,
    attrs: Value = UNDEFINED,
    host: Value = UNDEFINED,
) -> Value:
    return send_event(run, eci, (domain, name), attrs, host)


def _query(
    run: Instance,
    eci: Value = UNDEFINED,
    rid: Value = UNDEFINED,
    name: Value = UNDEFINED,
    args: Value = UNDEFINED,
) -> Value:
    for word, text in (("eci", eci), ("rid", rid), ("name", name)):
        if type(text) is not str or not text.strip():
            raise KrlRuntimeError("Error", f"missing query.{word}", "a channel that was not found is null")
    given = to_json(args, run)
    asked = freeze({} if given is None else given)
    return run.pico.engine.ask(run.pico, to_string(eci), to_string(rid), to_string(name), asked)


def _event_query(
    run: Instance,
    eci: Value = UNDEFINED,
    domain: Value = UNDEFINED,
    name: Value = UNDEFINED,
    attrs: Value = UNDEFINED,
    rid: Value = UNDEFINED,
    queryName: Value = UNDEFINED,  # noqa: N803 - KRL's own name
    args: Value = UNDEFINED,
) -> Value:
    """Sends an event to a pico of this engine, waits until it is handled there, and asks a query.

    The other pico has then handled it, whatever becomes of the rule. Raises EngineError.
    """
    writing_turn(run)
    event = checked_name((domain, name))
    run.pico.engine.waiting.tell(run.pico, to_string(eci), event, attributes(run, attrs))
    return _query(run, eci, rid, queryName, args)


def _logs(run: Instance) -> Sequence[Value]:
    entries: Sequence[Value] = run.pico.engine.journal_of(run.pico, run.pico.engine.limits.log_entries_max)
    _count(run, len(entries))
    return entries


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "picoId": Member("property", meta.pico_id),
        "rid": Member("property", meta.rid),
        "rid_url": Member("property", meta.url),
        "rid_config": Member("property", meta.config),
        "rid_version": _meta_text("version"),
        "rid_name": _meta_text("name"),
        "rid_description": _meta_text("description"),
        "rid_author": _meta_text("author"),
        "parent": Member("property", _parent),
        "children": Member("property", _children),
        "channels": Member("property", _channels),
        "rulesets": Member("property", _rulesets),
        "newPico": Member("action", _new_pico),
        "delPico": Member("action", _del_pico),
        "newChannel": Member("action", _new_channel),
        "putChannel": Member("action", _put_channel),
        "upsertChannel": Member("action", _upsert_channel),
        "delChannel": Member("action", _del_channel),
        "install": Member("action", _install),
        "uninstall": Member("action", _uninstall),
        "flush": Member("action", _flush),
        "event": Member("action", _event),
        "eventQuery": Member("action", _event_query),
        "query": Member("function", _query),
        "logs": Member("function", _logs),
    }
)
