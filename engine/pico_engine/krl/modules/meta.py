"""The module `meta`: where the code at hand runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pico_engine.krl.modules.member import Member

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value


def _eci(run: Instance) -> Value:
    return run.eci


def _host(run: Instance) -> Value:
    return run.pico.engine.port.base_url


def _in_event(run: Instance) -> Value:
    return run.event is not None


def _in_query(run: Instance) -> Value:
    return run.query is not None


def pico_id(run: Instance) -> Value:
    return run.pico.did


def rid(run: Instance) -> Value:
    return run.rid


def _rule_name(run: Instance) -> Value:
    return run.rule


def url(run: Instance) -> Value:
    """Where the ruleset was installed from; None for one that was not installed from a URL."""
    return run.pico.installed.rows.get(run.rid, {}).get("url")


def config(run: Instance) -> Value:
    """The configuration that the ruleset was installed with."""
    return run.config


def _transaction(run: Instance) -> Value:
    if run.event is not None:
        return run.event.eid or None
    if run.query is None:
        return None
    turn = run.turn()
    if not turn.eid:  # a query is a transaction, too; few ask for its name
        turn.eid = run.pico.engine.new_eid()
    return turn.eid


MEMBERS: Final[Mapping[str, Member]] = MappingProxyType(
    {
        "eci": Member("property", _eci),
        "host": Member("property", _host),
        "inEvent": Member("property", _in_event),
        "inQuery": Member("property", _in_query),
        "picoId": Member("property", pico_id),
        "rid": Member("property", rid),
        "ruleName": Member("property", _rule_name),
        "rid_url": Member("property", url),
        "rulesetURI": Member("property", url),
        "txnId": Member("property", _transaction),
        "rulesetConfig": Member("property", config),
    }
)
