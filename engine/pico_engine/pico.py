"""A loaded pico: its sections of rows, its rulesets' instances, and the messages that wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pico_engine.channels import Channel
from pico_engine.definition import InstalledRule, RuleDefinition, RulesetDefinition
from pico_engine.errors import EngineError, StoreCorrupt
from pico_engine.expressions import Progress
from pico_engine.ledger import Section
from pico_engine.library import missing
from pico_engine.values import Json, decode, encode
from pico_engine.variables import Variables, decode_variable, encode_variable

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.krl.meter import Meter
    from pico_engine.messages import Message
    from pico_engine.turn import Turn

ROOM: Final = b"p/"
"""Keys of picos begin so, then the DID and a slash; one range holds all of a pico."""
_LAZY_FROM: Final = b"w"
"""Sections from this letter on are read on demand; those before it are loaded with the pico."""
_DISPATCH_MAX_ENTRIES: Final = 1_000
"""Event names whose rules one pico remembers; a stranger may invent names without end."""


def _encode_channel(channel: Channel) -> bytes:
    return encode(channel.to_json())


def _decode_channel(data: bytes) -> Channel:
    return Channel.from_json(decode(data))


def _encode_progress(progress: Progress) -> bytes:
    return encode(progress.to_json())


def _decode_progress(data: bytes) -> Progress:
    return Progress.from_json(decode(data))


def _unmakeable(rid: str, rule: str, error: Exception) -> InstalledRule:
    """Stands for the rules of a ruleset whose object could not be made: it fails for that reason."""

    def run(_ruleset: Any, _event: Any, _settings: Any) -> None:
        raise error

    return InstalledRule(None, rid, rule, None, run)


class Pico:
    """A pico in memory. Everything durable about it is in its sections."""

    __slots__ = (
        "_dispatch",
        "_instances",
        "_order",
        "channels",
        "children",
        "connections",
        "did",
        "elements",
        "engine",
        "inbox",
        "inbox_bytes",
        "info",
        "installed",
        "is_complete",
        "is_gone",
        "is_marked_busy",
        "is_slow",
        "last_used_ms",
        "logs",
        "meter",
        "next_queue_number",
        "outbox",
        "prefix",
        "progress",
        "queue",
        "ready",
        "schedule",
        "turn",
        "variables",
    )

    def __init__(self, engine: Engine, did: str) -> None:
        ledger = engine.ledger
        self.engine = engine
        self.did = did
        self.prefix = prefix = ROOM + did.encode() + b"/"
        self.channels = Section(ledger, prefix + b"c/", to_bytes=_encode_channel, from_bytes=_decode_channel)
        self.info = Section(ledger, prefix + b"i/")
        self.children = Section(ledger, prefix + b"k/")
        self.progress = Section(
            ledger, prefix + b"m/", to_bytes=_encode_progress, from_bytes=_decode_progress
        )
        self.connections = Section(ledger, prefix + b"n/")
        self.queue = Section(ledger, prefix + b"q/")
        self.installed = Section(ledger, prefix + b"r/")
        self.schedule = Section(ledger, prefix + b"s/")
        self.variables = Section(ledger, prefix + b"v/", to_bytes=encode_variable, from_bytes=decode_variable)
        self.elements = Section(ledger, prefix + b"w/", lazy=True)
        self.outbox = Section(ledger, prefix + b"x/", lazy=True)
        self.logs = Section(ledger, prefix + b"y/", lazy=True)
        self.installed.changed = self.forget_dispatch
        self.is_gone = False
        """Was it deleted, or put away? Who still holds it must look it up again."""
        self.turn: Turn | None = None
        self.inbox: deque[Message] = deque()
        self.inbox_bytes = 0
        """What the messages that came since this was last counted weigh; see Admission.check_room."""
        self.ready = False
        self.is_slow = False
        """Did its last turn take more than a slice? See pico_engine.slices."""
        self.last_used_ms = 0
        self.next_queue_number = 0
        self.is_marked_busy = False
        self.meter: Meter | None = None
        """What its KRL rulesets count with; made when the first of them runs."""
        self._instances: dict[str, Any] = {}
        self._order: tuple[RulesetDefinition, ...] | None = None
        self.is_complete = False
        """Does the node have all its rulesets? False until `check_rulesets` has looked."""
        self._dispatch: dict[tuple[str, str], tuple[InstalledRule, ...]] = {}

    def load(self) -> bool:
        """Read everything but the lazy sections; False when the store knows no such pico."""
        prefix, offset = self.prefix, len(self.prefix)
        sections = {section.prefix[offset : offset + 1]: section for section in self._eager()}
        found = False
        for full, data in self.engine.ledger.scan(prefix, prefix + _LAZY_FROM):
            try:
                section = sections[full[offset : offset + 1]]
                section.rows[full[offset + 2 :].decode()] = section.decode(data)
            except (EngineError, LookupError, TypeError, ValueError) as error:
                raise StoreCorrupt(f"the row {full!r} of pico {self.did} cannot be read: {error}") from error
            found = True
        if self.queue.rows:
            self.is_marked_busy = True
            self.next_queue_number = int(max(self.queue.rows), 16) + 1
        return found

    def _eager(self) -> tuple[Section, ...]:
        return (
            self.channels,
            self.info,
            self.children,
            self.progress,
            self.connections,
            self.queue,
            self.installed,
            self.schedule,
            self.variables,
        )

    @property
    def parent(self) -> str | None:
        """The parent's DID; None for the root pico."""
        parent: str | None = self.info.get("parent")
        return parent

    @property
    def name(self) -> str:
        name: str = self.info.get("name", "")
        return name

    def all_channels(self) -> list[Channel]:
        """The pico's channels, family channels too, oldest first."""
        return sorted(self.channels.rows.values(), key=lambda channel: channel.order)

    # -- rulesets -----------------------------------------------------------------------------------------

    def forget_dispatch(self) -> None:
        """What is installed has changed."""
        self._order = None
        self.is_complete = False
        self._dispatch = {}
        self._instances = {}

    def definition(self, rid: str) -> RulesetDefinition | None:
        """An installed ruleset, in the version that this pico runs; None when it cannot be had here."""
        row = self.installed.rows.get(rid)
        if row is None:
            return None
        digest = row.get("hash")
        if digest is None:
            return self.engine.registry.find(rid)
        return self.engine.library.find(digest, row["url"])

    def definitions(self) -> tuple[RulesetDefinition, ...]:
        """Installed rulesets that this node has, in the order in which they were installed."""
        if self._order is None:
            rows = sorted(self.installed.rows.items(), key=lambda row: row[1]["order"])
            known = (self.definition(rid) for rid, _ in rows)
            self._order = tuple(definition for definition in known if definition is not None)
            self.is_complete = len(self._order) == len(rows)
        return self._order

    def check_rulesets(self) -> None:
        """Raises RulesetMissing when an installed ruleset is not available on this node."""
        definitions = self.definitions()
        if not self.is_complete:
            known = {definition.rid for definition in definitions}
            rid = min(rid for rid in self.installed.rows if rid not in known)
            raise missing(self.did, rid, self.installed.rows[rid], self.engine.library)

    def instance(self, definition: RulesetDefinition, config: Json | None = None) -> Any:
        """The object behind the ruleset's rules and functions; made anew for a module's own `config`."""
        if config is not None:
            return definition.create(self, {**self.installed.get(definition.rid)["config"], **config})
        instances = self._instances
        instance = instances.get(definition.rid)
        if instance is None:
            instance = definition.create(self, self.installed.get(definition.rid)["config"])
            instances[definition.rid] = instance
        return instance

    def rules_for(self, domain: str, kind: str) -> tuple[InstalledRule, ...]:
        """Every rule that names the event, in the order in which they run."""
        key = (domain, kind)
        dispatch = self._dispatch  # a turn may be put aside below, and what is installed change meanwhile
        found = dispatch.get(key)
        if found is None:
            if len(dispatch) >= _DISPATCH_MAX_ENTRIES:
                dispatch.clear()
            entries: list[InstalledRule] = []
            for definition in self.definitions():
                if rules := definition.rules_for(domain, kind):
                    entries += self._entries_of(definition, rules)
            found = tuple(entries)
            if all(entry.instance is not None for entry in found):  # else the next event tries it anew
                dispatch[key] = found
        return found

    def _entries_of(
        self, definition: RulesetDefinition, rules: Sequence[RuleDefinition]
    ) -> list[InstalledRule]:
        try:
            instance = self.instance(definition)
        except Exception as error:  # noqa: BLE001 - foreign code: it must fail as its rules do, not the turn
            return [_unmakeable(definition.rid, rules[0].name, error)]
        return [
            InstalledRule(
                instance, definition.rid, rule.name, None if rule.machine.always else rule.machine, rule.run
            )
            for rule in rules
        ]

    def variables_of(self, rid: str) -> Variables:
        return Variables(rid, self.variables, self.elements, self.engine.limits, self._check_may_write)

    def _check_may_write(self) -> None:
        turn = self.turn
        if turn is None or turn.read_only:
            self.engine.refuse_write(self)

    # -- putting away -------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        return self.turn is None and not self.inbox and not self.ready

    def trim(self) -> None:
        """Forget elements, log entries and the outbox, which are read on demand, when they grow large."""
        limit = self.engine.limits.cached_rows_max
        for section in (self.elements, self.outbox, self.logs):
            if len(section.rows) > limit:
                section.ledger.settle()
                section.forget()
