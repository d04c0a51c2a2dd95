"""io.picolabs.pds: a pico's own data by namespace, its profile, and settings of other rulesets.

Ids, events, attributes and queries are those of the existing engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pico_engine import Event, Ruleset, ent, provides, query, rule, when
from pico_engine.channels import Policy
from pico_engine.values import Json, thaw
from pico_rulesets.attributes import handed_on, parsed, passed_on

PDS: Final = "io.picolabs.pds"
CHANNEL_TAGS: Final = ("pds",)
_PICTURE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#dde"/>'
    '<circle cx="32" cy="24" r="10" fill="#88a"/><path d="M12 60a20 18 0 0 1 40 0z" fill="#88a"/></svg>'
)
NO_PHOTO: Final = "data:image/svg+xml;utf8," + _PICTURE.replace("#", "%23")
"""Shown until the profile has a picture."""
_PROFILE: Final = ("name", "description", "photo", "email", "phone")


class Pds(Ruleset, rid=PDS, version="1.0.0", author="picomesh"):
    """Keeps data for all rulesets of its pico."""

    general: dict[str, Any] = ent(default={})
    """By namespace, then by key."""
    own_profile: dict[str, Any] = ent(default={})
    all_settings: dict[str, Any] = ent(default={})
    """By ruleset id: `{name, rid, schema, data: {key: value}}`."""
    channel_eci: str | None = ent()

    # -- queries ------------------------------------------------------------------------------------------

    @provides
    @query
    def items(self, namespace: str | None = None, key: str | None = None) -> dict[str, Json]:
        """Everything, a namespace, or one value: `{"status", "general"}`; without a namespace: failed."""
        if namespace is None:
            return {"status": "failed", "general": self.general if key is None else None}
        found = self.general.get(namespace)
        if key is not None:
            found = found.get(key) if isinstance(found, Mapping) else None
        return {"status": "success", "general": found}

    @provides
    @query
    def get_keys(self, namespace: str) -> list[str]:
        found = self.general.get(namespace)
        return list(found) if isinstance(found, Mapping) else []

    @provides
    @query
    def profile(self, key: str | None = None) -> dict[str, Json]:
        found = (self.own_profile or None) if key is None else self.own_profile.get(key)
        return {"status": "success", "profile": found}

    @provides
    @query
    def settings(
        self,
        Rid: str | None = None,  # noqa: N803
        Key: str | None = None,  # noqa: N803
        detail: str | None = None,
    ) -> dict[str, Json]:
        """All settings, those of a ruleset, one entry of these (`Key`), or one value (`detail`)."""
        if Rid is None:
            found: Json = self.all_settings
        elif Key is None:
            found = self.all_settings.get(Rid)
        elif detail is None:
            found = self._setting(Rid).get(Key)
        else:
            found = self._data(Rid).get(detail)
        return {"status": "success", "settings": found}

    def _setting(self, rid: str) -> Mapping[str, Json]:
        found: Mapping[str, Json] = self.all_settings.get(rid) or {}
        return found

    def _data(self, rid: str) -> Mapping[str, Json]:
        found: Mapping[str, Json] = self._setting(rid).get("data") or {}
        return found

    @provides
    @query
    def settings_names(self) -> list[dict[str, Json]]:
        return [{"setRID": rid, "setName": one.get("name")} for rid, one in self.all_settings.items()]

    @provides
    @query
    def get_setting_data_value(self, setRID: str, setKey: str) -> Json:  # noqa: N803
        return self._data(setRID).get(setKey)

    @provides
    @query
    def config_value(self, setKey: str, setRID: str = "") -> Json:  # noqa: N803
        """A setting of the ruleset `setRID`. The existing engine means to know who asks, and fails."""
        return self._data(setRID).get(setKey)

    @provides
    @query
    def get_config_value(self, setKey: str, setRID: str = "") -> Json:  # noqa: N803
        return self._data(setRID).get(setKey)

    @provides
    @query
    def getChannelEci(self) -> str | None:  # noqa: N802
        return self.channel_eci

    # -- data by namespace --------------------------------------------------------------------------------

    @rule(when("pds:new_data_available"))
    def add_item(self, event: Event) -> None:
        namespace, key = _text(event, "namespace"), _text(event, "key")
        self._put(namespace, {key: event.attr("value", "")})
        self.raise_event("pds:data_added", namespace=namespace, keyvalue=key)

    def _put(self, namespace: str, more: Mapping[str, Json]) -> None:
        known = self.general.get(namespace)
        self.general[namespace] = {**(known if isinstance(known, Mapping) else {}), **more}

    @rule(when("pds:updated_data_available"))
    def update_item(self, event: Event) -> None:
        """Every entry of the map `value` goes below the key."""
        namespace, key, value = _text(event, "namespace"), _text(event, "key"), parsed(event, "value")
        if not isinstance(value, Mapping):
            return
        known = self.general.get(namespace)
        before = known.get(key) if isinstance(known, Mapping) else None
        self._put(namespace, {key: {**(before if isinstance(before, Mapping) else {}), **value}})
        for _ in value:  # once for each entry, as the existing engine does
            self.raise_event("pds:data_updated", namespace=namespace, keyvalue=key)

    @rule(when("pds:remove_old_data"))
    def remove_item(self, event: Event) -> None:
        namespace, key = _text(event, "namespace"), _text(event, "key")
        known = self.general.get(namespace)
        if isinstance(known, Mapping) and key in known:
            self.general[namespace] = {name: value for name, value in known.items() if name != key}
        self.raise_event("pds:data_deleted", namespace=namespace, keyvalue=key)

    @rule(when("pds:remove_namespace"))
    def remove_namespace(self, event: Event) -> None:
        namespace = _text(event, "namespace")
        self.general.pop(namespace, None)
        self.raise_event("pds:namespace_deleted", namespace=namespace)

    @rule(when("pds:map_item"))
    def map_item(self, event: Event) -> None:
        namespace, values = _text(event, "namespace"), parsed(event, "mapvalues")
        self.general[namespace] = values
        self.raise_event("pds:new_map_added", namespace=namespace, mapvalues=values)

    # -- the profile --------------------------------------------------------------------------------------

    @rule(when("pds:updated_profile"))
    def update_profile(self, event: Event) -> None:
        attrs = passed_on(event)
        if not attrs:
            self.raise_event("pds:profile_updated", _status="failure")
            return
        known = thaw(dict(self.own_profile)) or {"name": "", "description": "", "photo": NO_PHOTO}
        now = self.now_utc.strftime("%Y%m%dT%H%M%S+0000")
        kept = {name: attrs.get(name, known.get(name)) for name in _PROFILE}
        stamps = {"_created": known.get("_created") or now, "_modified": now}
        self.own_profile = {
            name: value for name, value in {**attrs, **kept}.items() if value is not None
        } | stamps
        self.raise_event("pds:profile_updated", attrs, _status="success")

    # -- settings of rulesets -----------------------------------------------------------------------------

    @rule(when("pds:add_settings"))
    def add_settings(self, event: Event) -> None:
        rid = str(event.attr("keyed_rid", 0))
        setting = {**self._setting(rid), "name": event.attr("name", 0), "rid": event.attr("keyed_rid", 0)}
        if event.attr("schema"):
            setting["schema"] = event.attr("schema")
        if event.attr("data_key"):
            setting["data"] = {**self._data(rid), str(event.attr("data_key")): event.attr("value", 0)}
        self.all_settings[rid] = setting
        self.raise_event("pds:settings_added", handed_on(event))

    @rule(when("pds:clear_all_data"))
    def clear_all(self) -> None:
        self.general = {}
        self.own_profile = {}
        self.all_settings = {}

    # -- being installed ----------------------------------------------------------------------------------

    @rule(when("wrangler:ruleset_installed", where=lambda event: PDS in (event.attr("rids") or ())))
    def initialise(self) -> None:
        if self.channel_eci is None:
            events, queries = Policy(allow=(("pds", "*"),)), Policy(allow=((PDS, "*"),))
            self.channel_eci = str(self.pico.new_channel(CHANNEL_TAGS, events, queries)["id"])
        if self.pico.name and not self.own_profile.get("name"):
            self.raise_event("pds:updated_profile", name=self.pico.name)


def _text(event: Event, name: str) -> str:
    """An attribute as the key that it is; the existing engine takes "" where it is missing."""
    value = event.attr(name, "")
    return value if isinstance(value, str) else str(value)
