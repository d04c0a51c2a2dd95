"""What a ruleset's rules and queries can ask of their pico: the methods behind `self`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast, overload
from urllib.parse import quote

from pico_engine.admission import check_attributes
from pico_engine.channels import ALLOW_ALL, HTTP, Policy, clean_tags, parse_policy
from pico_engine.errors import BadRequest, UnknownChannel, UnknownRuleset
from pico_engine.events import Event, split_name
from pico_engine.messages import HttpCall
from pico_engine.modules import Module, ModuleByName, module_by_name
from pico_engine.turn import Post, Send
from pico_engine.values import EMPTY_MAP, FrozenMap, Json, encode, freeze, thaw

if TYPE_CHECKING:
    from pico_engine.definition import RulesetDefinition
    from pico_engine.pico import Pico
    from pico_engine.ruleset import Ruleset
    from pico_engine.turn import Turn
    from pico_engine.variables import Variables

_Used = TypeVar("_Used", bound="Ruleset")


def merge_attrs(attrs: Mapping[str, Json] | None, more: Mapping[str, Json]) -> FrozenMap:
    """Attributes given as a map and by name, as one kept value."""
    if attrs is None and not more:
        return EMPTY_MAP
    return cast("FrozenMap", freeze({**(attrs or {}), **more}))


class Source(NamedTuple):
    """The source of an installed ruleset in KRL, its hash, and when its URL was last fetched."""

    text: str
    hash: str
    flushed_ms: int


class PicoView:
    """The pico that a rule runs in: its family, channels and rulesets, and the means to change them."""

    __slots__ = ("_pico",)

    def __init__(self, pico: Pico) -> None:
        self._pico = pico

    @property
    def did(self) -> str:
        return self._pico.did

    @property
    def name(self) -> str:
        """The name that its owner gave it."""
        return self._pico.name

    @name.setter
    def name(self, value: str) -> None:
        self._pico.engine.family.rename(self._pico, value)

    @property
    def parent(self) -> str | None:
        """The parent's DID; None for the root pico."""
        return self._pico.parent

    @property
    def parent_eci(self) -> str | None:
        """The family channel that leads to the parent."""
        eci: str | None = self._pico.info.get("parent_eci")
        return eci

    @property
    def base_url(self) -> str:
        """Where this engine takes events by HTTP, without a slash at its end; "" for nowhere."""
        return self._pico.engine.port.base_url

    @property
    def self_eci(self) -> str:
        """The family channel that leads to the pico itself."""
        eci: str = self._pico.info.get("self_eci")
        return eci

    @property
    def children(self) -> list[dict[str, Json]]:
        """`{"did", "eci", "name", "parent_eci"}` of each child, oldest first; `eci` leads to the child."""
        rows = sorted(self._pico.children.items(), key=lambda row: row[1]["order"])
        return [
            {"did": did, "eci": row["eci"], "name": row["name"], "parent_eci": row["parent_eci"]}
            for did, row in rows
        ]

    @property
    def channels(self) -> list[FrozenMap]:
        """All channels, oldest first, the family's too: id, tags, eventPolicy, queryPolicy, doors, peer, …"""
        return [channel.overview() for channel in self._pico.all_channels()]

    @property
    def rulesets(self) -> list[dict[str, Json]]:
        """`{"rid", "config", "version", "meta"}` of each installed ruleset, in installation order."""
        return self._pico.engine.family.installed(self._pico)

    def new_child(
        self, name: str = "", rulesets: Iterable[str | tuple[str, Mapping[str, Json]]] = ()
    ) -> dict[str, Json]:
        """Make a child pico with these rulesets (ids, or pairs of id and configuration).

        Answers as `children` does. Raises UnknownRuleset, LimitExceeded.
        """
        return self._pico.engine.family.new_child(self._pico, name, rulesets)

    def new_channel_of_child(self, did: str, tags: Iterable[str]) -> str:
        """Make a channel of a child that was made in this turn; answers its ECI. It allows everything.

        For what the child will be told to restrict, but others have to know at once.
        """
        return self._pico.engine.family.new_channel_of_child(self._pico, did, clean_tags(tags)).eci

    @property
    def default_rulesets(self) -> tuple[str, ...]:
        """Ids of rulesets that this node gives to new picos, beside wrangler and subscription."""
        return self._pico.engine.default_rulesets

    def source(self, rid: str) -> Source:
        """The KRL text that an installed ruleset was made of; empty for one in Python."""
        row, library = self._pico.installed.get(rid) or {}, self._pico.engine.library
        digest, url = row.get("hash", ""), row.get("url", "")
        edition = library.edition(url) if url else None
        text = (library.text(digest) or "") if digest else ""
        return Source(text, digest, edition.flushed_ms if edition is not None else 0)

    def turns(self, most: int = 100) -> list[dict[str, Json]]:
        """The newest turns of this pico since the node started, oldest of them first (`picomesh trace`)."""
        return self._pico.engine.traces.newest(most, self._pico.did)

    def delete_child(self, did_or_eci: str) -> list[str]:
        """Delete a child and everything below it when this turn commits; answers the DIDs that go."""
        return self._pico.engine.family.delete_child(self._pico, did_or_eci)

    def new_channel(
        self,
        tags: Iterable[str] = (),
        event_policy: Policy | Json = None,
        query_policy: Policy | Json = None,
        *,
        doors: Sequence[str] = (HTTP,),
        peer: str | None = None,
    ) -> FrozenMap:
        """Make a channel; answers as `channels` does. A policy that is not given allows everything."""
        return self._pico.engine.family.new_channel(
            self._pico,
            clean_tags(tags),
            _policy(event_policy, query=False),
            _policy(query_policy, query=True),
            tuple(doors),
            peer,
        ).overview()

    def put_channel(
        self,
        eci: str,
        *,
        tags: Iterable[str] | None = None,
        event_policy: Policy | Json = None,
        query_policy: Policy | Json = None,
        doors: Sequence[str] | None = None,
        peer: str | None = None,
    ) -> FrozenMap:
        """Change what is given of a channel. Raises UnknownChannel; family channels cannot be changed."""
        changes: dict[str, Any] = {}
        if tags is not None:
            changes["tags"] = clean_tags(tags)
        if event_policy is not None:
            changes["event_policy"] = _policy(event_policy, query=False)
        if query_policy is not None:
            changes["query_policy"] = _policy(query_policy, query=True)
        if doors is not None:
            changes["doors"] = tuple(doors)
        if peer is not None:
            changes["peer"] = peer
        return self._pico.engine.family.change_channel(self._pico, eci, changes).overview()

    def delete_channel(self, eci: str) -> None:
        """Close a channel for good. Raises UnknownChannel; family channels cannot be deleted."""
        self._pico.engine.family.delete_channel(self._pico, eci)

    def install(self, rid: str, config: Mapping[str, Json] | None = None) -> dict[str, Json]:
        """Install a ruleset that this node knows, or give an installed one another configuration."""
        self._pico.engine.check_may_write(self._pico)
        return self._pico.engine.family.install(self._pico, rid, config or {})

    def install_url(self, url: str, config: Mapping[str, Json] | None = None) -> dict[str, Json]:
        """Install the KRL ruleset at a URL; it is fetched when the node does not know the URL yet.

        Raises BadRequest, EgressDenied, FetchFailed, RulesetDefinitionError.
        """
        self._pico.engine.check_may_write(self._pico)
        return self._pico.engine.installing.install(self._pico, url, config or {})

    def flush(self, url: str) -> dict[str, Json]:
        """Fetch a URL anew for all picos that use it; answers `{"url", "hash", "rid", "flushed"}`."""
        return self._pico.engine.installing.flush(self._pico, url).to_json()

    def uninstall(self, rid: str) -> None:
        """Remove a ruleset and exactly its own data. Raises UnknownRuleset, BadRequest while it is used."""
        self._pico.engine.family.uninstall(self._pico, rid)

    def logs(self, most: int = 100) -> list[Json]:
        """The newest log entries of this pico, oldest of them first."""
        return self._pico.engine.journal_of(self._pico, most)


def _policy(policy: Policy | Json, *, query: bool) -> Policy:
    if policy is None:
        return ALLOW_ALL
    return policy if isinstance(policy, Policy) else parse_policy(freeze(policy), query=query)


class Log:
    """`self.log`: entries kept with the pico and shown by `picomesh logs`."""

    __slots__ = ("_pico", "_rid")

    def __init__(self, pico: Pico, rid: str) -> None:
        self._pico = pico
        self._rid = rid

    def _add(self, level: str, text: str, data: Json) -> None:
        self._pico.engine.log(self._pico, level, self._rid, text, self._pico.engine.now, data)

    def debug(self, text: str, data: Json = None) -> None:
        self._add("debug", text, data)

    def info(self, text: str, data: Json = None) -> None:
        self._add("info", text, data)

    def warning(self, text: str, data: Json = None) -> None:
        self._add("warning", text, data)

    def error(self, text: str, data: Json = None) -> None:
        self._add("error", text, data)


class RulesetApi:
    """Methods of every ruleset. Those that change something raise QueryMayNotWrite inside a query."""

    __slots__ = ()

    _pico: Pico
    config: Mapping[str, Json]
    variables: Variables
    definition: ClassVar[RulesetDefinition]

    # -- looking around -----------------------------------------------------------------------------------

    @property
    def pico(self) -> PicoView:
        """The pico this runs in."""
        return PicoView(self._pico)

    @property
    def now(self) -> int:
        """The time of this turn, in milliseconds since 1970 UTC. It does not change within a turn."""
        turn = self._pico.turn
        return self._pico.engine.now if turn is None else turn.now

    @property
    def now_utc(self) -> datetime:
        """The time of this turn."""
        return datetime.fromtimestamp(self.now / 1000, UTC)

    @property
    def log(self) -> Log:
        return Log(self._pico, self.definition.rid)

    def random_bytes(self, count: int) -> bytes:
        """Unpredictable bytes (from the turn's own entropy, so that a recorded run replays)."""
        return self._pico.engine.entropy(count)

    def random_integer(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included, each equally likely."""
        if high < low:
            raise BadRequest(f"no number is between {low} and {high}")
        span = high - low + 1
        return low + int.from_bytes(self.random_bytes(16), "big") % span

    def uuid(self) -> str:
        """A fresh identifier of 32 hexadecimal digits."""
        return self.random_bytes(16).hex()

    @overload
    def use(self, ruleset: type[_Used], **config: Json) -> _Used: ...
    @overload
    def use(self, ruleset: str, **config: Json) -> ModuleByName: ...
    def use(self, ruleset: type[_Used] | str, **config: Json) -> _Used | ModuleByName:
        """Another ruleset of this pico as a module: its `@provides` functions.

        One in KRL is named by its id; so can be one in Python. `config` overrides its configuration for this
        use; for KRL it is what stands behind `with`. Raises UnknownRuleset when it is not installed.
        """
        rid = ruleset if isinstance(ruleset, str) else ruleset.definition.rid
        if self._pico.installed.get(rid) is None:
            raise UnknownRuleset(f"{self.definition.rid} uses {rid}, which is not installed in this pico")
        given = freeze(config) if config else None
        if isinstance(ruleset, str):
            return module_by_name(self._pico, rid, given)
        return cast("_Used", Module(self._pico.instance(ruleset.definition, given), ruleset))

    def query(self, eci: str, rid: str, name: str, /, **args: Json) -> Json:
        """Ask another pico. Waits for the answer where it is not in this engine.

        Raises what went wrong there, WaitCycle when it would wait for itself, WaitTimeout.
        """
        if type(eci) is not str or not eci.strip():  # one that was looked for and not found
            raise BadRequest("missing query.eci", "name the channel to ask")
        return self._pico.engine.ask(self._pico, eci, rid, name, freeze(args))

    # -- changing something -------------------------------------------------------------------------------

    def _writing_turn(self) -> Turn:
        turn = self._pico.turn
        if turn is None or turn.read_only:
            self._pico.engine.refuse_write(self._pico)
        return cast("Turn", turn)

    def raise_event(self, name: str, attrs: Mapping[str, Json] | None = None, /, **more: Json) -> None:
        """Raise `domain:type` in this pico: it is handled later in this same turn."""
        self._raise(name, merge_attrs(attrs, more))

    def raise_event_for(
        self, rid: str, name: str, attrs: Mapping[str, Json] | None = None, /, **more: Json
    ) -> None:
        """Raise an event that only the ruleset `rid` of this pico sees."""
        self._raise(name, merge_attrs(attrs, more), rid)

    def _raise(self, name: str, attrs: FrozenMap, rid: str | None = None) -> None:
        turn = self._writing_turn()
        domain, kind = split_name(name)
        check_attributes(attrs, name, turn.engine.limits)
        turn.raise_event(Event(domain, kind, attrs, turn.eid, turn.now, "", None, rid))

    def send(self, eci: str, name: str, attrs: Mapping[str, Json] | None = None, /, **more: Json) -> None:
        """Send `domain:type` to another pico when this turn commits: exactly once, in order per channel.

        `eci`: a channel of a pico of this node, or the other side's channel of one of our connections.
        What cannot be delivered comes back as the event `event:undeliverable`.
        """
        turn = self._writing_turn()
        domain, kind = split_name(name)
        if not eci:
            raise UnknownChannel(f"cannot send {name} to {eci!r}: that is no ECI")
        attributes = merge_attrs(attrs, more)
        check_attributes(attributes, name, turn.engine.limits)
        turn.send(Send(eci, domain, kind, attributes, self.definition.rid))

    def send_to_host(self, host: str, eci: str, name: str, attrs: Mapping[str, Json], /) -> None:
        """`send` to a channel of another engine, which takes events by HTTP at `host`: in order, maybe twice.

        Goes when this turn commits, and is tried again. What cannot be delivered comes back as
        `event:undeliverable`. Raises BadRequest, DeniedByPolicy.
        """
        turn = self._writing_turn()
        engine = turn.engine
        if host.rstrip("/") == engine.port.base_url:
            self.send(eci, name, attrs)
            return
        engine.waiting.check_may_call(self._pico)
        domain, kind = split_name(name)
        check_attributes(freeze(attrs), name, engine.limits)
        url = "/".join([host.rstrip("/"), "c", quote(eci, ":"), "event", quote(domain), quote(kind)])
        headers = freeze({"content-type": "application/json"})
        body = encode(thaw(attrs)).decode()
        turn.send(Post("", domain, kind, EMPTY_MAP, self.definition.rid, "POST", url, headers, body))

    def http(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> FrozenMap:
        """The answer to an HTTP request: `status_code`, `status_line`, `headers`, `content`, …

        The turn waits meanwhile. Raises EgressDenied, FetchFailed, LimitExceeded, BadRequest.
        """
        call = HttpCall(0, self._pico.did, self.definition.rid, method, url, freeze(headers or {}), body)
        return cast("FrozenMap", self._pico.engine.waiting.call(self._pico, call))

    def directive(self, name: str, options: Mapping[str, Json] | None = None, /, **more: Json) -> None:
        """Answer whoever sent the event: directives of the whole turn are the answer to it."""
        self._writing_turn().direct(name, merge_attrs(options, more))

    def last(self) -> None:
        """Let no later rule of this ruleset run for this event (their event expressions still move on)."""
        turn = self._writing_turn()
        turn.stop(self.definition.rid)

    def error(self, data: Json, *, level: str = "error") -> None:
        """Declare an error: raises `system:error` here; level `error` also ends the turn's rest."""
        self._writing_turn().declare_error(level, freeze(data))

    def schedule_at(
        self,
        when: int | datetime,
        name: str,
        attrs: Mapping[str, Json] | None = None,
        /,
        **more: Json,
    ) -> str:
        """Raise an event in this pico at a time (milliseconds since 1970 UTC, or a datetime with a zone).

        It fires once, also when the node was down at that time. Answers an id for `unschedule`.
        """
        turn = self._writing_turn()
        if isinstance(when, datetime):
            if when.tzinfo is None:
                raise BadRequest("a scheduled time needs a time zone", "use datetime(..., tzinfo=UTC)")
            when = round(when.timestamp() * 1000)
        return turn.engine.schedules.add_at(
            turn.pico, self.definition.rid, when, split_name(name), merge_attrs(attrs, more)
        )

    def schedule_in(
        self, delay: timedelta, name: str, attrs: Mapping[str, Json] | None = None, /, **more: Json
    ) -> str:
        """Raise an event in this pico after a while; like `schedule_at`."""
        at = self.now + round(delay.total_seconds() * 1000)
        return self.schedule_at(at, name, attrs, **more)

    def schedule_cron(
        self,
        expression: str,
        name: str,
        attrs: Mapping[str, Json] | None = None,
        /,
        *,
        timezone: str = "UTC",
        **more: Json,
    ) -> str:
        """Raise an event again and again: `*/5 * * * *`, or six fields with seconds first.

        What was missed while the node was down fires once. Raises BadRequest for a bad expression.
        """
        turn = self._writing_turn()
        return turn.engine.schedules.add_cron(
            turn.pico,
            self.definition.rid,
            expression,
            timezone,
            split_name(name),
            merge_attrs(attrs, more),
        )

    def schedules(self) -> list[Json]:
        """The scheduled events of this ruleset: id, type (`at` or `repeat`), time, event, attrs."""
        return self._pico.engine.schedules.list_of(self._pico, self.definition.rid)

    def unschedule(self, schedule_id: str) -> bool:
        """Remove one scheduled event of this ruleset; False when there is none (any more)."""
        turn = self._writing_turn()
        return turn.engine.schedules.remove(turn.pico, schedule_id, self.definition.rid)
