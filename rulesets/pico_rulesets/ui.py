"""io.picolabs.pico-engine-ui: what the existing engine's web page asks of a pico.

Ids, events, queries and the channel's policy are those of the existing engine. Picos have this ruleset only
where the node was told to be compatible (`picomesh up --compat`): its channel opens the pico to whoever knows
the ECI, and the page hands ECIs out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from pico_engine import Event, Ruleset, ent, provides, query, rule, when
from pico_engine.api import PicoView
from pico_engine.channels import Policy
from pico_engine.definition import as_written
from pico_engine.values import Json
from pico_rulesets.attributes import handed_on, parsed, parsed_map, required_text, tag_list
from pico_rulesets.wrangler import UI, UI_TAGS

_EVENTS = (
    "setup", "box", "new", "del", "install", "uninstall", "flush",
    "new_channel", "del_channel", "testing_eci",
)  # fmt: skip
_SUBSCRIPTION_EVENTS = (
    "subscription",
    "pending_subscription_approval",
    "inbound_rejection",
    "outbound_cancellation",
    "subscription_cancellation",
)
UI_EVENTS: Final = Policy(
    allow=(
        *(("engine_ui", name) for name in _EVENTS),
        ("engine", "started"),
        *(("wrangler", name) for name in _SUBSCRIPTION_EVENTS),
    )
)
UI_QUERIES: Final = Policy(
    allow=(
        ("*", "__testing"),
        *((UI, name) for name in ("uiECI", "box", "pico", "logs", "testingECI", "name")),
        *(
            ("io.picolabs.subscription", name)
            for name in ("established", "inbound", "outbound", "wellKnown_Rx")
        ),
    )
)
LOGGED_TURNS_MAX: Final = 200
"""Turns in one answer of `logs`: the page draws all of them at once."""
_TOLD: Final = frozenset({"version", "name", "description", "author"})
"""Of what a ruleset says of itself."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


class EngineUi(Ruleset, rid=UI, version="1.0.0", author="picomesh"):
    """Keeps how a pico is drawn, and does what the web page's buttons say."""

    x: float = ent(default=100)
    y: float = ent(default=100)
    width: float = ent(default=100)
    height: float = ent(default=100)
    colour: str = ent(default="#87cefa")
    parent_ui_eci: str | None = ent()
    child_ui_ecis: dict[str, str] = ent(default={})
    """By the family channel that leads to the child."""
    testing_eci: str | None = ent()

    # -- queries ------------------------------------------------------------------------------------------

    @provides
    @query
    def uiECI(self) -> str | None:  # noqa: N802 - names of the existing engine
        """The channel of the web page."""
        found = (channel["id"] for channel in self._view.channels if sorted(channel["tags"]) == list(UI_TAGS))
        return next(found, None)

    @query
    def testingECI(self) -> str | None:  # noqa: N802
        return self.testing_eci

    @query
    def name(self) -> str:
        return self._view.name or "Pico"

    @query
    def box(self) -> dict[str, Json]:
        """How the pico is drawn, and the channels of its relatives' pages."""
        return {
            "eci": self.uiECI(),
            "parent": self.parent_ui_eci,
            "children": self._children(),
            "name": self.name(),
            "backgroundColor": self.colour,
            "x": self.x,
            "y": self.y,
            "width": self.width,
            "height": self.height,
        }

    def _children(self) -> list[str]:
        known = self.child_ui_ecis
        return [known[child["eci"]] for child in self._view.children if child["eci"] in known]

    @query
    def pico(self) -> Any:  # type: ignore[override]  # the existing engine's name; what it hides is `_view`
        return {
            "eci": self.uiECI(),
            "parent": self.parent_ui_eci,
            "children": self._children(),
            "channels": self._view.channels,
            "rulesets": [self._ruleset(row) for row in self._view.rulesets],
        }

    @property
    def _view(self) -> PicoView:
        return PicoView(self._pico)

    def _ruleset(self, row: dict[str, Json]) -> dict[str, Json]:
        """An installed ruleset in the existing engine's form; one in Python has no source to show."""
        url, meta = row.get("url", f"picomesh:{row['rid']}"), row["meta"]
        told = None
        if meta is not None:
            source = self._view.source(str(row["rid"]))
            told = {
                "krl": source.text,
                "krlMeta": {key: value for key, value in as_written(meta).items() if key in _TOLD},
                "hash": source.hash,
                "flushed": _iso(source.flushed_ms),
                "compiler": {"version": f"picomesh {meta['language']}", "warnings": []},
            }
        return {"rid": row["rid"], "config": row["config"], "url": url, "meta": told}

    @query
    def logs(self) -> list[Json]:
        """The newest turns, newest first: `{txnId, time, header, entries}`."""
        found = []
        for turn in reversed(self._view.turns(LOGGED_TURNS_MAX)):
            if turn["kind"] == "query" and UI in str(turn["name"]):
                continue
            time = _iso(turn["time"])
            clock = time.partition("T")[2]
            header = f"{str(turn['kind']).upper()} {turn['name']}"
            entries = [f"{clock} [DEBUG] {header} {turn['outcome']}"]
            entries += [
                f"{clock} [DEBUG] rule {one['outcome']} {one['rid']} : {one['rule']}"
                for one in turn.get("rules", ())
            ]
            found.append({"txnId": turn["eid"], "time": time, "header": header, "entries": entries})
        return found

    # -- being set up -------------------------------------------------------------------------------------

    @rule(when("engine_ui:setup"))
    def setup(self, event: Event) -> None:
        """Make the channel of the web page, or set its policy right; tell the parent of it where asked to."""
        eci = self.uiECI()
        if eci is None:
            eci = str(self._view.new_channel(UI_TAGS, UI_EVENTS, UI_QUERIES)["id"])
        else:
            self._view.put_channel(eci, event_policy=UI_EVENTS, query_policy=UI_QUERIES)
        parent = self._view.parent_eci
        if event.attr("tell_parent") and parent is not None and self.parent_ui_eci is None:
            self.send(parent, "engine_ui:child_set_up", uiEci=eci)

    @rule(when("engine_ui:child_set_up"))
    def remember_older_child(self, event: Event) -> None:
        """A child that was made without a page has one now; the channel says which child it is."""
        ui_eci, children = event.attr("uiEci"), self._view.children
        child = next((one for one in children if event.eci and one["parent_eci"] == event.eci), None)
        if child is not None and isinstance(ui_eci, str):
            self.child_ui_ecis[child["eci"]] = ui_eci
            self.send(child["eci"], "engine_ui:box", parentUiEci=self.uiECI())

    @rule(when("wrangler:new_child_created"))
    def remember_child(self, event: Event) -> None:
        family_eci, ui_eci = event.attr("eci"), event.attr("uiEci")
        if isinstance(family_eci, str) and isinstance(ui_eci, str):
            self.child_ui_ecis[family_eci] = ui_eci

    @rule(when("wrangler:child_deleted"))
    def forget_child(self, event: Event) -> None:
        eci = event.attr("eci")
        if eci in self.child_ui_ecis:
            del self.child_ui_ecis[eci]

    @rule(when("engine_ui:box"))
    def change_box(self, event: Event) -> None:
        """Take what is given of position, size, name and colour."""
        for name in ("x", "y", "width", "height"):
            value = _number(event.attr(name))
            if value:
                setattr(self, name, value)
        if event.attr("name"):
            self._view.name = str(event.attr("name"))[:256]
        colour = event.attr("backgroundColor")
        if isinstance(colour, str) and _COLOUR.fullmatch(colour):
            self.colour = colour
        if isinstance(event.attr("parentUiEci"), str):
            self.parent_ui_eci = event.attr("parentUiEci")

    # -- the page's buttons -------------------------------------------------------------------------------

    @rule(when("engine_ui:new"))
    def new_child(self, event: Event) -> None:
        name = event.attr("name") or self.name()
        colour = event.attr("backgroundColor") or self.colour
        self.raise_event("wrangler:new_child_request", handed_on(event, name=name, backgroundColor=colour))

    @rule(when("engine_ui:del"))
    def delete_child(self, event: Event) -> None:
        wanted = required_text(event, "eci")
        family_eci = next((eci for eci, ui in self.child_ui_ecis.items() if ui == wanted), None)
        if family_eci is not None:
            self.raise_event("wrangler:child_deletion_request", eci=family_eci)

    @rule(when("engine_ui:install"))
    def install(self, event: Event) -> None:
        self.raise_event("wrangler:install_ruleset_request", handed_on(event))

    @rule(when("engine_ui:uninstall"))
    def uninstall(self, event: Event) -> None:
        rid = required_text(event, "rid")
        if any(row["rid"] == rid for row in self._view.rulesets):
            self._view.uninstall(rid)

    @rule(when("engine_ui:flush"))
    def flush(self, event: Event) -> None:
        url = required_text(event, "url")
        if not url.startswith("picomesh:"):  # what is in Python changes with the node
            self._view.flush(url)

    @rule(when("engine_ui:new_channel"))
    def new_channel(self, event: Event) -> None:
        tags = tag_list(parsed(event, "tags") if event.attr("tags") else [])
        self._view.new_channel(tags, parsed_map(event, "eventPolicy"), parsed_map(event, "queryPolicy"))

    @rule(when("engine_ui:del_channel"))
    def delete_channel(self, event: Event) -> None:
        eci = required_text(event, "eci")
        self._view.delete_channel(eci)
        self.raise_event("wrangler:channel_deleted", eci=eci)

    @rule(when("engine_ui:testing_eci"))
    def remember_testing_eci(self, event: Event) -> None:
        eci = event.attr("eci")
        self.testing_eci = eci if isinstance(eci, str) else None


def _iso(time_ms: Any) -> str:
    return (
        datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _number(value: Json) -> float | None:
    """The number of an attribute, which may be text. None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e9 else None
