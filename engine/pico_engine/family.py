"""Picos making and changing picos: children, channels, installed rulesets. Part of the turn that asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pico_engine.channels import ALLOW_ALL, DIDCOMM, DOORS, FAMILY, Channel, Policy
from pico_engine.errors import BadRequest, LimitExceeded, UnknownChannel, UnknownPico, UnknownRuleset
from pico_engine.nesting import begin_ruleset
from pico_engine.pico import Pico
from pico_engine.routes import drop_routes
from pico_engine.values import EMPTY_MAP, FrozenMap, Json, freeze

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.engine import Engine

NAME_MAX_CHARS = 256
"""A pico's name is for people."""


class FamilyAffairs:
    """What changes the tree of picos. All of it is journaled: it is kept or dropped with the turn."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- picos --------------------------------------------------------------------------------------------

    def new_root(self, name: str, rulesets: Iterable[str | tuple[str, Mapping[str, Json]]]) -> Pico:
        """The engine's first pico."""
        return self._new_pico(name, None, rulesets)

    def _new_pico(
        self, name: str, parent: Pico | None, rulesets: Iterable[str | tuple[str, Mapping[str, Json]]]
    ) -> Pico:
        engine = self._engine
        did, secret = engine.identities.new_pico(engine.entropy)
        pico = Pico(engine, did)
        engine.adopt(pico)
        pico.info.changed = partial(engine.forget_unmade, pico)
        pico.info.put("did", did)
        pico.info.put("secret", freeze(secret))
        pico.info.put("created", engine.now)
        pico.info.put("name", _check_name(name))
        if parent is not None:
            pico.info.put("parent", parent.did)
        own = self._family_channel(pico, "self", did)
        pico.info.put("self_eci", own.eci)
        for item in rulesets:
            rid, config = (item, EMPTY_MAP) if isinstance(item, str) else item
            self.install(pico, rid, config)
        return pico

    def new_child(
        self, parent: Pico, name: str, rulesets: Iterable[str | tuple[str, Mapping[str, Json]]]
    ) -> dict[str, Json]:
        engine = self._engine
        engine.check_may_write(parent)
        if len(parent.children.rows) >= engine.limits.children_max:
            raise LimitExceeded(f"pico {parent.did} has {engine.limits.children_max} children already")
        engine.disk.check()
        child = self._new_pico(name, parent, rulesets)
        # tags say what the channel's owner is to the other, as in the existing engine
        down = self._family_channel(child, "child", parent.did)
        up = self._family_channel(parent, "parent", child.did)
        child.info.put("parent_eci", up.eci)
        order = parent.info.get("next_child", 0)
        parent.info.put("next_child", order + 1)
        row = FrozenMap({"eci": down.eci, "name": name, "parent_eci": up.eci, "order": order})
        parent.children.put(child.did, row)
        return {"did": child.did, "eci": down.eci, "name": name, "parent_eci": up.eci}

    def new_channel_of_child(self, parent: Pico, did: str, tags: tuple[str, ...]) -> Channel:
        """A channel over HTTP of a child that has had no turn yet."""
        engine = self._engine
        engine.check_may_write(parent)
        child = engine.pico(did)
        if did not in parent.children.rows or any(one.family is None for one in child.channels.rows.values()):
            raise BadRequest(f"{did} is no new child of pico {parent.did}")
        eci, secret = engine.identities.new_channel(engine.entropy)
        return self._add_channel(child, Channel(eci=eci, tags=tags, secret=freeze(secret)))

    def rename(self, pico: Pico, name: str) -> None:
        self._engine.check_may_write(pico)
        pico.info.put("name", _check_name(name))
        parent = self._engine.loaded_or_stored(pico.parent) if pico.parent else None
        if parent is not None:
            row = parent.children.get(pico.did)
            if row is not None:
                parent.children.put(pico.did, FrozenMap({**row, "name": name}))

    def delete_child(self, parent: Pico, did_or_eci: str) -> list[str]:
        engine = self._engine
        engine.check_may_write(parent)
        did = next(
            (did for did, row in parent.children.items() if did_or_eci in (did, row["eci"])),
            None,
        )
        if did is None:
            raise UnknownPico(f"{did_or_eci} is no child of pico {parent.did}")
        row = parent.children.get(did)
        parent.children.delete(did)
        if row["parent_eci"] in parent.channels.rows:
            self._remove_channel(parent, row["parent_eci"])
        gone = self.descendants(did)
        turn = parent.turn
        assert turn is not None, "check_may_write guarantees a turn"
        turn.deletions = (*turn.deletions, *gone)
        return gone

    def descendants(self, did: str) -> list[str]:
        """The pico and all below it, each before its children."""
        found = [did]
        for one in found:  # grows while it is walked
            pico = self._engine.loaded_or_stored(one)
            if pico is not None:
                found += pico.children.rows
        return found

    # -- channels -----------------------------------------------------------------------------------------

    def _family_channel(self, pico: Pico, tag: str, related: str) -> Channel:
        eci, secret = self._engine.identities.new_channel(self._engine.entropy)
        return self._add_channel(
            pico,
            Channel(
                eci=eci,
                tags=("system", tag),
                event_policy=ALLOW_ALL,
                query_policy=ALLOW_ALL,
                doors=(FAMILY,),
                family=related,
                secret=freeze(secret),
            ),
        )

    def new_channel(
        self,
        pico: Pico,
        tags: tuple[str, ...],
        event_policy: Policy,
        query_policy: Policy,
        doors: tuple[str, ...],
        peer: str | None = None,
        identity: tuple[str, Json] | None = None,
    ) -> Channel:
        """A new channel; `identity` is its ECI and secret where it is to have a certain one."""
        engine = self._engine
        engine.check_may_write(pico)
        of_family = len(pico.children.rows) + 1 + (pico.parent is not None)
        if len(pico.channels.rows) - of_family >= engine.limits.channels_max:
            raise LimitExceeded(f"pico {pico.did} has {engine.limits.channels_max} channels already")
        _check_doors(doors)
        freeze(peer)
        if identity is not None:
            eci, secret = identity
        elif DIDCOMM in doors:
            eci, secret = engine.identities.new_connection_channel(engine.entropy, pico.did)
        else:
            eci, secret = engine.identities.new_channel(engine.entropy)
        channel = Channel(
            eci=eci,
            tags=tags,
            event_policy=event_policy,
            query_policy=query_policy,
            doors=doors,
            peer=peer,
            secret=freeze(secret),
        )
        return self._add_channel(pico, channel)

    def _add_channel(self, pico: Pico, channel: Channel) -> Channel:
        order = pico.info.get("next_channel", 0)
        pico.info.put("next_channel", order + 1)
        channel = channel.changed(order=order)
        pico.channels.put(channel.eci, channel)
        self._engine.index.put(channel.eci, pico.did)
        return channel

    def _own_channel(self, pico: Pico, eci: str) -> Channel:
        self._engine.check_may_write(pico)
        channel: Channel | None = pico.channels.get(eci)
        if channel is None:
            raise UnknownChannel(f"pico {pico.did} has no channel {eci}")
        if channel.family is not None:
            raise BadRequest("family channels cannot be changed or deleted")
        return channel

    def change_channel(self, pico: Pico, eci: str, changes: Mapping[str, Any]) -> Channel:
        if "doors" in changes:
            _check_doors(changes["doors"])
        freeze(changes.get("peer"))
        changed = self._own_channel(pico, eci).changed(**changes)
        pico.channels.put(eci, changed)
        return changed

    def delete_channel(self, pico: Pico, eci: str) -> None:
        self._own_channel(pico, eci)
        self._engine.port.channel_deleted(pico, eci)
        if pico.turn is not None:
            pico.turn.closed |= {eci}
        self._remove_channel(pico, eci)

    def _remove_channel(self, pico: Pico, eci: str) -> None:
        pico.channels.delete(eci)
        self._engine.index.delete(eci)

    # -- rulesets -----------------------------------------------------------------------------------------

    def install(self, pico: Pico, rid: str, config: Mapping[str, Json]) -> dict[str, Json]:
        """Install a ruleset that the node knows by its id. Those at URLs: `Installing`."""
        definition = self._engine.registry.get(rid)
        mark = len(self._engine.ledger.journal)
        row = self.new_row(pico, definition, config)
        known = pico.installed.get(rid)
        if known is not None and "url" in known:
            self._engine.library.leave(pico.did, rid, known["url"])
        pico.installed.put(rid, freeze(row))
        begin_ruleset(pico, definition, mark)
        return {"rid": rid, "config": dict(config), "version": definition.version}

    def new_row(
        self, pico: Pico, definition: RulesetDefinition, config: Mapping[str, Json]
    ) -> dict[str, Json]:
        """The row of a ruleset that is being installed; it keeps its place if it was there before."""
        engine, rid = self._engine, definition.rid
        known = pico.installed.get(rid)
        if known is None and len(pico.installed.rows) >= engine.limits.rulesets_max:
            raise LimitExceeded(f"pico {pico.did} has {engine.limits.rulesets_max} rulesets already")
        order = known["order"] if known is not None else pico.info.get("next_order", 0)
        if known is None:
            pico.info.put("next_order", order + 1)
        return {"config": dict(config), "version": definition.version, "order": order}

    def uninstall(self, pico: Pico, rid: str) -> None:
        engine = self._engine
        engine.check_may_write(pico)
        row = pico.installed.get(rid)
        if row is None:
            raise UnknownRuleset(f"ruleset {rid} is not installed in pico {pico.did}")
        users = [one.rid for one in pico.definitions() if rid in one.uses]
        if users:
            raise BadRequest(f"ruleset {rid} is used by {users[0]}", f"uninstall {users[0]} first")
        pico.variables_of(rid).clear_all()
        for key in [key for key in pico.progress.rows if key.startswith(f"{rid}/")]:
            pico.progress.delete(key)
        for key in [key for key in pico.info.rows if key.startswith(f"krl/{rid}/")]:
            pico.info.delete(key)  # what it held, see pico_engine.krl.persistent
        if "krl_held_above" in pico.info.rows:
            pico.info.delete("krl_held_above")
        engine.schedules.remove_all(pico, rid)
        drop_routes(pico, rid)
        if "url" in row:
            engine.library.leave(pico.did, rid, row["url"])
        pico.installed.delete(rid)

    def installed(self, pico: Pico) -> list[dict[str, Json]]:
        rows = sorted(pico.installed.items(), key=lambda row: row[1]["order"])
        found = []
        for rid, row in rows:
            definition = pico.definition(rid)
            meta = definition.meta if definition is not None else None
            one = {"rid": rid, "config": row["config"], "version": row["version"], "meta": meta}
            if "url" in row:
                one |= {"url": row["url"], "hash": row["hash"]}
            found.append(one)
        return found


def _check_name(name: str) -> str:
    if type(name) is not str or len(name) > NAME_MAX_CHARS:
        raise BadRequest(f"a pico's name is text of at most {NAME_MAX_CHARS} characters")
    return cast("str", freeze(name))


def _check_doors(doors: tuple[str, ...]) -> None:
    if not doors or any(door not in DOORS or door == FAMILY for door in doors):
        raise BadRequest(f"doors must be some of http and didcomm, not {list(doors)}")
