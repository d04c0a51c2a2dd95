"""io.picolabs.wrangler: a pico's rulesets, channels and children, by events and queries.

Ids, events, attributes and queries are those of the existing engine, so that rulesets written against it
run. Differences are listed in docs/compatibility.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from pico_engine import EngineError, Event, Ruleset, ent, provides, query, rule, when
from pico_engine.definition import as_written
from pico_engine.errors import BadAttributes, BadRequest
from pico_engine.installing import sibling
from pico_engine.values import FrozenMap, Json, decode, encode
from pico_rulesets.attributes import handed_on, parsed, parsed_map, passed_on, required_text, tag_list

WRANGLER: Final = "io.picolabs.wrangler"
SUBSCRIPTION: Final = "io.picolabs.subscription"
UI: Final = "io.picolabs.pico-engine-ui"
UI_TAGS: Final = ("engine", "ui")
"""Of the channel of the existing engine's web page."""
PICO_RULESETS: Final = (WRANGLER, SUBSCRIPTION)
"""Rulesets that every pico comes with, in the order in which their rules run."""

CHILDREN_PER_TURN_MAX: Final = 64
"""Children told something in one turn, which may send 256 events; the others follow in turns of their own."""

_ASKED_ITSELF: Final = {
    "status_code": 400,
    "status_line": "HTTP/1.1 400 Pico should not query itself",
    "content": '{"error":"Pico should not query itself"}',
}
"""What the existing engine answers when a pico's query leads to the pico itself."""


class Wrangler(Ruleset, rid=WRANGLER, version="1.0.0", author="picomesh"):
    """Manages the rulesets, channels and children of its pico."""

    eci: str | None = ent()
    """The family channel by which the parent reaches this pico; the root pico's channel to itself."""

    # -- looking around -----------------------------------------------------------------------------------

    @provides
    @query
    def channels(self, tags: Json = None) -> list[FrozenMap]:
        """All channels, or those that have exactly these tags (a list, or text with commas)."""
        every = self.pico.channels
        if tags is None or tags == "":
            return every
        wanted = sorted(tag.strip().lower() for tag in tag_list(tags))
        return [channel for channel in every if sorted(channel["tags"]) == wanted]

    @provides
    @query
    def rulesetConfig(self, rid: str | None = None) -> Json:  # noqa: N802 - names of the existing engine
        row = self._installed(rid)
        return None if row is None else row["config"]

    @provides
    @query
    def rulesetMeta(self, rid: str | None = None) -> Json:  # noqa: N802
        row = self._installed(rid)
        return None if row is None or row["meta"] is None else as_written(row["meta"])

    @provides
    @query
    def installedRIDs(self) -> list[str]:  # noqa: N802
        return [str(row["rid"]) for row in self.pico.rulesets]

    @provides
    @query
    def children(self) -> list[dict[str, Json]]:
        """`{eci, name, parent_eci}` of each child: its channel for us, and ours for it."""
        names = ("eci", "name", "parent_eci")
        return [{name: child[name] for name in names} for child in self.pico.children]

    @provides
    @query
    def parent_eci(self) -> str | None:
        """The channel that leads to the parent; None in the root pico."""
        return self.pico.parent_eci

    @provides
    @query
    def name(self) -> str:
        return self.pico.name

    @provides
    @query
    def id(self) -> str:
        """The pico's DID."""
        return self.pico.did

    @provides
    @query
    def myself(self) -> dict[str, Json]:
        return {"name": self.pico.name, "id": self.pico.did, "eci": self.eci or self.pico.self_eci}

    @provides
    @query
    def picoQuery(  # noqa: N802
        self,
        eci: str,
        mod: str,
        func: str,
        params: Json = None,
        _host: Json = None,
        _path: Json = None,
        _root_url: Json = None,
    ) -> Json:
        """Ask the function `func` that ruleset `mod` shares, on a channel here or of a connection.

        Where the channel lives is found by the ECI. `_host` (with `_path`), or `_root_url`: another engine's
        URL, which is asked by HTTP.
        """
        if self._pico.channels.get(eci) is not None:
            return _ASKED_ITSELF
        root = self._other_engine(_host, _path, _root_url)
        if root:
            return self._ask_engine(f"{root}{eci}/{mod}/{func}", _arguments(params))
        return self.query(eci, mod, func, **_arguments(params))

    def _other_engine(self, host: Json, path: Json, root_url: Json) -> str:
        """The start of the URL of a query to another engine; "" for this one."""
        if root_url:
            return str(root_url)
        base = str(host or "").rstrip("/")
        return "" if base in ("", self.pico.base_url) else f"{base}{path or '/sky/cloud/'}"

    def _ask_engine(self, url: str, arguments: dict[str, Json]) -> Json:
        """What another engine of the existing kind answers; a failure as a map, as it has them."""
        pairs = {
            key: item if isinstance(item, str) else encode(item).decode() for key, item in arguments.items()
        }
        answer = self.http("GET", f"{url}?{urlencode(pairs)}" if pairs else url)
        try:
            value = decode(answer["content"].encode())
        except BadRequest:
            value = answer["content"] or None
        error = value.get("error") if isinstance(value, Mapping) else None
        if answer["status_code"] == 200 and value is not None and not error:
            return value
        told = _sky_error(answer["status_code"], answer["status_line"], error or "")
        return {**told, "picoQueryError": error or 0, "picoQueryReturnValue": value}

    @provides
    @query
    def skyQuery(  # noqa: N802
        self,
        eci: str,
        mod: str,
        func: str,
        params: Json = None,
        _host: Json = None,
        _path: Json = None,
        _root_url: Json = None,
    ) -> Json:
        """Like picoQuery, but what went wrong is answered as a map with `error` and `httpStatus`."""
        if self._pico.channels.get(eci) is not None:
            return _sky_error(
                400, "HTTP/1.1 400 Pico should not query itself", "Pico should not query itself"
            )
        try:
            root = self._other_engine(_host, _path, _root_url)
            if root:
                return self._ask_engine(f"{root}{eci}/{mod}/{func}", _arguments(params))
            return self.query(eci, mod, func, **_arguments(params))
        except EngineError as error:
            return _sky_error(error.status, error.code, error.what)

    def _installed(self, rid: str | None) -> dict[str, Json] | None:
        return next((row for row in self.pico.rulesets if row["rid"] == rid), None)

    # -- for other rulesets of this pico ------------------------------------------------------------------

    @provides
    def createChannel(  # noqa: N802
        self,
        tags: Json,
        eventPolicy: Json = None,  # noqa: N803
        queryPolicy: Json = None,  # noqa: N803
    ) -> FrozenMap:
        """Make a channel; answers as `channels` does. A policy that is not given allows everything."""
        return self.pico.new_channel(tag_list(tags), eventPolicy or None, queryPolicy or None)

    @provides
    def deleteChannel(self, eci: str) -> None:  # noqa: N802
        self.pico.delete_channel(eci)

    # -- rulesets -----------------------------------------------------------------------------------------

    @rule(when("wrangler:install_ruleset_request"))
    def install_ruleset(self, event: Event) -> None:
        """By `url` in KRL, or by `absoluteURL` and `rid`: the file beside it; one in Python by its id."""
        rid, url, absolute = event.attr("rid"), event.attr("url"), event.attr("absoluteURL")
        if absolute and rid:
            url = sibling(required_text(event, "absoluteURL"), required_text(event, "rid"))
        name = url or rid
        if not isinstance(name, str) or not name:
            raise BadAttributes(f"{event.name} needs the attribute 'url' or 'rid'")
        config = parsed_map(event, "config")
        if url and "://" in name:
            self.pico.flush(name)
            name = self.pico.install_url(name, config)["rid"]
        else:
            self.pico.install(name, config)
        attrs = handed_on(event, rids=[name])
        attrs.pop("absoluteURL", None)
        self.raise_event("wrangler:ruleset_installed", {**attrs, **({"url": url} if url else {})})

    @rule(when("wrangler:uninstall_ruleset_request"))
    def uninstall_ruleset(self, event: Event) -> None:
        rid = required_text(event, "rid")
        if rid in self.installedRIDs():  # applications ask twice, and go on when they hear that it is gone
            self.pico.uninstall(rid)
        self.raise_event("wrangler:ruleset_uninstalled", handed_on(event))

    @rule(when("wrangler:rulesets_need_flushing"))
    def flush_rulesets(self, event: Event) -> None:
        """Fetch each URL anew; take rulesets in Python in the version that the node has now."""
        for row in self.pico.rulesets:
            if "url" in row:
                self.pico.flush(str(row["url"]))
            elif row["meta"] is not None:
                self.pico.install(row["rid"], row["config"])
        self.raise_event("wrangler:rulesets_flushed", handed_on(event))

    # -- channels -----------------------------------------------------------------------------------------

    @rule(when("wrangler:new_channel_request"))
    def new_channel(self, event: Event) -> None:
        names = ("tags", "eventPolicy", "queryPolicy")
        missing = [name for name in names if not event.attr(name)]
        if missing:
            raise BadAttributes(
                f"{event.name} needs the attribute {missing[0]!r}", "send all of " + ", ".join(names)
            )
        tags = tag_list(event.attr("tags"))
        channel = self.pico.new_channel(tags, parsed(event, "eventPolicy"), parsed(event, "queryPolicy"))
        self.raise_event("wrangler:channel_created", handed_on(event, channel=channel))

    @rule(when("wrangler:channel_deletion_request"))
    def delete_channel(self, event: Event) -> None:
        self.pico.delete_channel(required_text(event, "eci"))
        self.raise_event("wrangler:channel_deleted", handed_on(event))

    # -- children -----------------------------------------------------------------------------------------

    @rule(when("wrangler:new_child_request"))
    def new_child(self, event: Event) -> None:
        rids = (*PICO_RULESETS, *self.pico.default_rulesets)
        child = self.pico.new_child(required_text(event, "name"), rids)
        found = {"eci": child["eci"]}
        if UI in rids:
            found["uiEci"] = self._prepare_ui(event, child)
        self.send(child["eci"], "wrangler:pico_created", passed_on(event))
        self.raise_event("wrangler:new_child_created", handed_on(event, **found))

    def _prepare_ui(self, event: Event, child: dict[str, Json]) -> Json:
        """The channel of the child's web page, which whoever asked for the child is told."""
        ui_eci = self.pico.new_channel_of_child(child["did"], UI_TAGS)
        own = next((one["id"] for one in self.channels(list(UI_TAGS))), None)
        self.send(child["eci"], "engine_ui:setup")
        box = {"name": event.attr("name"), "backgroundColor": event.attr("backgroundColor") or "#87CEFA"}
        self.send(child["eci"], "engine_ui:box", {**box, **({"parentUiEci": own} if own else {})})
        return ui_eci

    @rule(when("wrangler:default_rulesets_needed"))
    def complete(self, event: Event) -> None:
        """Install what new picos get of this node and this one lacks; then have the children do so.

        For picos that were made before the node was compatible. Without --compat there is nothing to install.
        """
        wanted, start = self.pico.default_rulesets, event.attr("from_child", 0)
        if not wanted or not isinstance(start, int):
            return
        if start == 0:
            installed = self.installedRIDs()
            for rid in wanted:
                if rid not in installed:
                    self.pico.install(rid)
                    self.raise_event("wrangler:ruleset_installed", {"rids": [rid]})
            if UI in wanted:
                self.raise_event("engine_ui:setup", tell_parent=True)
        children = self.pico.children[start:]
        for child in children[:CHILDREN_PER_TURN_MAX]:
            self.send(child["eci"], "wrangler:default_rulesets_needed")
        if len(children) > CHILDREN_PER_TURN_MAX:
            rest = start + CHILDREN_PER_TURN_MAX
            self.send(self.pico.self_eci, "wrangler:default_rulesets_needed", from_child=rest)

    @rule(when("wrangler:child_deletion_request"))
    def delete_child(self, event: Event) -> None:
        """With everything below it. The other sides of its subscriptions are told by the engine."""
        self.pico.delete_child(required_text(event, "eci"))
        self.raise_event("wrangler:child_deleted", handed_on(event))

    # -- being a child, or the root -----------------------------------------------------------------------

    @rule(when("wrangler:pico_created"))
    def initialise_child(self, event: Event) -> None:
        self._initialise(event, event.eci or self.pico.self_eci, self.installedRIDs())

    @rule(when("wrangler:root_created", where=lambda event: event.eci == ""))
    def initialise_root(self, event: Event) -> None:
        self._initialise(event, self.pico.self_eci, self.installedRIDs())

    def _initialise(self, event: Event, eci: str, rids: Iterable[str]) -> None:
        """Say of each ruleset that came with the pico that it is installed: some set themselves up then."""
        self.eci = eci
        for rid in rids:
            if rid != WRANGLER:
                self.raise_event("wrangler:ruleset_installed", {"rids": [rid]})
        self.raise_event("wrangler:pico_initialized", handed_on(event, name=self.pico.name, eci=eci))

    @rule(when("wrangler:pico_initialized"))
    def tell_parent(self, event: Event) -> None:
        parent = self.pico.parent_eci
        if parent is not None:
            self.send(parent, "wrangler:child_initialized", passed_on(event))

    @rule(when("wrangler:name_changed"))
    def take_name(self, event: Event) -> None:
        self.pico.name = required_text(event, "name")

    @rule(when("wrangler:ready_for_deletion"))
    def ask_parent_for_deletion(self) -> None:
        parent = self.pico.parent_eci
        if parent is not None:
            self.send(parent, "wrangler:child_deletion_request", eci=self._own_family_eci())

    def _own_family_eci(self) -> Json:
        """The channel of ours that the parent uses."""
        return next(channel["id"] for channel in self.channels(["system", "child"]))


def _arguments(params: Json) -> dict[str, Json]:
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise BadRequest("the parameters of a query are a map from names to values")
    return dict(params)


def _sky_error(status: int, line: str, what: str) -> dict[str, Json]:
    return {
        "error": "sky query request was unsuccessful",
        "httpStatus": {"code": status, "message": line},
        "picoQueryError": what,
        "picoQueryErrorMsg": 0,
        "picoQueryReturnValue": {"error": what},
    }
