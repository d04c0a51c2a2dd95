"""What can go wrong in the engine, and whose fault it is.

EngineError
├── CallerError                 whoever sent the event or query
│   ├── UnknownChannel          404  no such ECI here
│   ├── DeniedByPolicy          403  the channel's policy or its doors say no
│   ├── UnknownPico             404
│   ├── UnknownRuleset          404  no such ruleset installed, or known to this node
│   ├── UnknownQuery            404  the ruleset has no such shared query
│   ├── BadRequest              400  arguments that cannot be understood
│   │   └── BadAttributes       400  an event lacks what its rule needs
│   ├── LimitExceeded           413  larger, deeper or more than a named limit
│   └── Busy                    503  the pico's queue is full; try again later
├── RulesetError                the author of a ruleset
│   ├── RulesetFailed           500  a rule or query raised an exception
│   ├── RulesetDefinitionError  500  a ruleset class that cannot be understood
│   ├── QueryMayNotWrite        500  a query tried to change its pico
│   ├── WaitCycle               508  a query that would wait for itself through other picos
│   └── WaitTimeout             504  no answer before the turn's deadline
├── RulesetMissing              503  installed in the pico, not available on this node
├── OutsideError                     the world outside of the node
│   ├── EgressDenied            403  the node may not ask there
│   └── FetchFailed             502  nobody answered, or not with what was asked for
└── StoreError                  500  the disk
    ├── StoreFull               507
    ├── StoreLocked             500  another process has it
    ├── StoreTooNew             500  written by a newer version
    └── StoreCorrupt            500
"""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """`code` is stable and documented; `status` is the HTTP status to answer with; `hint` says what to do."""

    code: ClassVar[str] = "engine-error"
    status: ClassVar[int] = 500
    default_hint: ClassVar[str] = "see the node's log"

    def __init__(self, what: str = "", hint: str = "") -> None:
        self.what = what or (type(self).__doc__ or self.code).split("\n", maxsplit=1)[0]
        self.hint = hint or self.default_hint
        super().__init__(self.what)

    def __str__(self) -> str:
        return self.what


class CallerError(EngineError):
    """The request cannot be served as it is."""

    code = "bad-request"
    status = 400
    default_hint = "correct the request and send it again"


class UnknownChannel(CallerError):
    """No channel with this ECI lives here."""

    code = "unknown-channel"
    status = 404
    default_hint = "check the ECI; `picomesh channel ls` lists a pico's channels"


class DeniedByPolicy(CallerError):
    """The channel does not admit this."""

    code = "denied-by-policy"
    status = 403
    default_hint = "use a channel whose policy and doors allow it; `picomesh channel ls` shows them"


class UnknownPico(CallerError):
    """No such pico lives here."""

    code = "unknown-pico"
    status = 404
    default_hint = "`picomesh pico ls` lists the picos of this node"


class UnknownRuleset(CallerError):
    """No such ruleset."""

    code = "unknown-ruleset"
    status = 404
    default_hint = "`picomesh ruleset ls` lists what is installed and what this node knows"


class UnknownQuery(CallerError):
    """The ruleset shares no such query."""

    code = "unknown-query"
    status = 404
    default_hint = "`picomesh ruleset ls` shows the queries that a ruleset shares"


class BadRequest(CallerError):
    """Arguments that cannot be understood."""


class BadAttributes(BadRequest):
    """An event lacks an attribute that its rule needs, or has one of a wrong kind."""

    code = "bad-attributes"


class LimitExceeded(CallerError):
    """Larger, deeper or more than a named limit allows."""

    code = "limit-exceeded"
    status = 413
    default_hint = "send less at once; docs/reference/limits.md names every limit"


class Busy(CallerError):
    """The pico's queue is full."""

    code = "busy"
    status = 503
    default_hint = "try again later"


class RulesetError(EngineError):
    """A ruleset went wrong."""

    code = "ruleset-error"
    default_hint = "`picomesh logs` and `picomesh trace` show what the ruleset did"


class RulesetFailed(RulesetError):
    """A rule or query raised an exception."""

    code = "ruleset-failed"


class RulesetDefinitionError(RulesetError):
    """A ruleset class that cannot be understood."""

    code = "ruleset-definition"
    default_hint = "correct the ruleset's class; docs/reference/python-rulesets.md has every form"


class QueryMayNotWrite(RulesetError):
    """A query tried to change its pico."""

    code = "query-may-not-write"
    default_hint = "change state in a rule; queries only read"


class WaitCycle(RulesetError):
    """A query that would wait for itself through other picos."""

    code = "wait-cycle"
    status = 508
    default_hint = "send an event instead of a query, so that nobody waits"


class WaitTimeout(RulesetError):
    """No answer came before the turn's deadline."""

    code = "wait-timeout"
    status = 504
    default_hint = "the other side may be down; try again later"


class RulesetMissing(EngineError):
    """A ruleset that is installed in the pico is not available on this node."""

    code = "ruleset-missing"
    status = 503
    default_hint = "install the package or file that has it, then restart the node; nothing was lost"


class OutsideError(EngineError):
    """Something outside of the node that a turn asked for was not to be had."""

    code = "outside-error"
    status = 502
    default_hint = "look at the address; `picomesh logs` tells more"


class EgressDenied(OutsideError):
    """The node does not ask at this address."""

    code = "egress-denied"
    status = 403
    default_hint = (
        "rulesets reach public addresses only; the owner opens others with "
        "`picomesh up --egress-allow HOST` and folders with `--ruleset-folder DIR`"
    )


class FetchFailed(OutsideError):
    """Nobody answered at the address, or not with what was asked for."""

    code = "fetch-failed"
    default_hint = "try the address with another program; then try again"


class StoreError(EngineError):
    """The store failed."""

    code = "store-error"


class StoreFull(StoreError):
    """No room left on the disk."""

    code = "store-full"
    status = 507
    default_hint = "free some disk space; the node goes on by itself, what was acknowledged is safe"


class StoreLocked(StoreError):
    """Another process has the store open."""

    code = "store-locked"
    default_hint = "stop the other node, or give this one another --home"


class StoreTooNew(StoreError):
    """The store was written by a newer version."""

    code = "store-too-new"
    default_hint = "install a newer picomesh; an older one must not touch this store"


class StoreCorrupt(StoreError):
    """The store has damaged rows."""

    code = "store-corrupt"
    default_hint = (
        "keep a copy of the directory, then restore a backup; docs/how-to/repair-a-store.md tells how"
    )
