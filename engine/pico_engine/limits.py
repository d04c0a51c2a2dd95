"""Every limit of the engine, with its unit and its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from pico_engine.errors import BadRequest


@dataclass(frozen=True, slots=True)
class KrlLimits:
    """Limits of what KRL rulesets may use, each per turn of a pico where nothing else is said."""

    steps_max: int = 2_000_000
    """Calls, iterations and elements looked at: about as much as fits into turn_max_ms."""
    slice_steps: int = 10_000
    """Steps that one pico takes before others have their turn: about ten milliseconds."""
    changes_max: int = 100_000
    """Changes of stored rows in one turn, one atomic write: when it fails, all are undone at once."""
    memory_max_bytes: int = 67_108_864
    """Memory that values made by rules and functions take, whether they were dropped since or not."""
    call_depth_max: int = 400
    """Functions that call each other in a chain: well above what recursion over data needs."""
    nesting_max_levels: int = 100
    """Expressions inside each other in a source text: such depth is made by programs, not by people."""
    tokens_max: int = 40_000
    """Words and marks of a source text, which everybody waits for; 100 kB by people have 25,000."""
    functions_max: int = 1_000
    """Functions, actions, rules and conditions of a ruleset: to compile them takes their square in time."""
    names_max: int = 3_000
    """Names that a ruleset declares: likewise."""
    transitions_max: int = 20_000
    """Transitions of all event expressions of a ruleset: `and` and `any` multiply, `count` adds."""
    global_max_bytes: int = 4_194_304
    """Memory that a ruleset's global block takes to evaluate: what it makes stays with the loaded pico."""
    modules_max: int = 256
    """Modules that one ruleset uses, counting those of its modules for each use: they multiply."""
    answer_max_bytes: int = 4_194_304
    """The answer to one query, as JSON: it is held in memory as a whole."""
    stored_max_bytes: int = 67_108_864
    """What a pico's KRL rulesets keep, each variable 4,096 bytes at least: a disk is shared by all picos."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Limits per engine; the defaults suit a personal node. docs/reference/limits.md lists them."""

    attributes_max_bytes: int = 524_288
    """Attributes of one event, as JSON: encrypted and encoded they must fit an envelope of 1 MiB."""
    value_max_bytes: int = 1_048_576
    """One persistent value (an element of a list or map counts alone), as JSON: it is written as a whole."""
    name_max_chars: int = 1_024
    """Domain and type of an event, or ruleset and name of a query: they are in traces, logs and caches."""
    raised_events_max: int = 1_000
    """Events raised within one turn: a rule that raises itself stops here instead of never."""
    sends_max: int = 256
    """Events that one turn sends to other picos: a turn is one atomic write, which must stay small."""
    sends_max_bytes: int = 8_388_608
    """Attributes and bodies of what one turn sends, as JSON: likewise."""
    considered_max: int = 100_000
    """Rules that are looked at in one turn, for all its events: each takes time, and a place in the trace."""
    directives_max: int = 1_000
    """Directives in one answer."""
    directives_max_bytes: int = 4_194_304
    """Their options, as JSON: an answer is held in memory as a whole."""
    queue_max_messages: int = 10_000
    """Messages that wait for one pico; beyond, the sender is told to try again later."""
    queue_max_bytes: int = 67_108_864
    """What the larger of them carry, as JSON: as much as 128 of the largest; all of it is in memory."""
    hops_max: int = 64
    """Picos that one cause may pass through: ends endless loops between picos."""
    query_depth_max: int = 16
    """Queries that wait for each other in a chain."""
    wait_max_ms: int = 10_000
    """How long a turn may wait for one answer from elsewhere; the pico's other work waits behind it."""
    turn_max_ms: int = 2_000
    """How long rules may compute in one turn before the node interrupts them."""
    schedules_max: int = 1_000
    """Scheduled events per pico."""
    cron_period_min_ms: int = 1_000
    """A repeated event at most once a second."""
    children_max: int = 100_000
    """Children per pico: their list is read as a whole when the pico is loaded."""
    channels_max: int = 10_000
    """Channels per pico, likewise."""
    rulesets_max: int = 256
    """Rulesets installed per pico."""
    ruleset_max_bytes: int = 131_072
    """The source of one KRL ruleset; those written by people stay below 100 kB."""
    ruleset_urls_max: int = 10_000
    """URLs whose newest source the node knows; who installs rulesets chooses them."""
    outside_calls_max: int = 64
    """Requests to the world outside that one turn makes: the pico's other work waits behind each."""
    log_entry_max_bytes: int = 4_096
    """One log entry; longer ones are cut."""
    log_entries_max: int = 1_000
    """Log entries kept per pico; the oldest go first."""
    traces_max: int = 1_000
    """Turns whose trace is kept in memory, over all picos."""
    traces_max_bytes: int = 16_777_216
    """What the larger of them take; the oldest of those lose their lists first."""
    loaded_picos_max: int = 10_000
    """Picos held in memory; the longest idle are put away first."""
    idle_max_ms: int = 60_000
    """An idle pico is put away after this time."""
    cached_rows_max: int = 10_000
    """List and map elements one loaded pico may hold in memory between turns."""
    inline_items_max: int = 32
    """A list or map up to this size is one row in the store; a larger one has a row per element."""
    inline_max_bytes: int = 4_096
    """Likewise one that is longer than this as JSON, so that a small change never writes much."""
    disk_free_min_bytes: int = 268_435_456
    """Free disk space below which picos keep no more: the store and the owner need some to clear up."""
    turns_per_tick_max: int = 512
    """Turns between two commits: bounds how long an answer waits for its companions."""
    krl: KrlLimits = field(default_factory=KrlLimits)
    """Limits of rulesets in KRL, which may come from strangers."""


def engine_limits(settings: Iterable[str]) -> EngineLimits:
    """The limits with these changed, each written `NAME=NUMBER`, those of KRL too. Raises BadRequest."""
    of_krl = {one.name for one in fields(KrlLimits)}
    of_engine = {one.name for one in fields(EngineLimits)} - {"krl"}
    changed: dict[str, int] = {}
    for text in settings:
        name, _, number = (part.strip() for part in text.partition("="))
        if name not in of_krl | of_engine:
            hint = f"write NAME=NUMBER; there are {', '.join(sorted(of_krl | of_engine))}"
            raise BadRequest(f"{text[:80]!r} sets no limit", hint)
        if not (number.isascii() and number.isdecimal() and len(number) <= 15 and int(number)):
            raise BadRequest(f"{text[:80]!r} sets no number", "write a whole number above zero")
        changed[name] = int(number)
    krl = KrlLimits(**{name: number for name, number in changed.items() if name in of_krl})
    return EngineLimits(krl=krl, **{name: number for name, number in changed.items() if name in of_engine})
