"""A disk with little room: picos keep no more, the owner may clear up, and then all is as before."""

from __future__ import annotations

import pytest

from pico_engine.disk import DiskRoom
from pico_engine.errors import StoreFull
from pico_engine.krl import compile_ruleset
from pico_engine.limits import EngineLimits
from tests.engine.helpers import Steps

LEAST = EngineLimits().disk_free_min_bytes
KEEPER = """
ruleset keeper {
  rule new { select when keep new always { ent:fresh := 1 } }
  rule count { select when keep count always { ent:n := ent:n.defaultsTo(0) + 1 } }
  rule much { select when keep much always { ent:much := 1.range(5000) } }
  rule less { select when keep less always { clear ent:much } }
  rule later {
    select when keep later
    always { schedule event "keep:new" at time:add(time:now(), {"days": 1}) }
  }
}
"""


def test_it_is_told_once_that_there_is_no_room() -> None:
    told: list[int] = []
    disk = DiskRoom(1_000, lambda: told.append(1))
    disk.check()
    for free in (1_000, 999, 5):
        disk.has_free(free)
    assert len(told) == 1
    with pytest.raises(StoreFull, match=r"less than 1,000 bytes free \(disk_free_min_bytes\)"):
        disk.check()
    disk.has_free(1_000)
    disk.check()


def test_picos_keep_no_more_until_there_is_room() -> None:
    steps = Steps()
    steps.registry.add(compile_ruleset(KEEPER).definition)
    did = steps.child("keeper")["did"]
    eci = steps.channel(did)
    for kind in ("count", "much"):
        steps.event(eci, f"keep:{kind}", door="http")
    steps.event(did, "keep:less")
    steps.engine.disk.has_free(LEAST - 1)
    with pytest.raises(StoreFull):  # although it was admitted before
        steps.event(eci, "keep:count", door="http")
    with pytest.raises(StoreFull):
        steps.child("keeper")
    for kind in ("new", "much", "later"):
        steps.event(did, f"keep:{kind}")
        assert "disk_free_min_bytes" in steps.logs[-1].text, kind
    rows = steps.engine.pico(did).variables.rows
    assert set(rows) == {"keeper/n"}
    steps.event(did, "keep:count")
    assert rows["keeper/n"] == 2, "what is there may change"
    assert steps.engine.counters["refused_store-full"] == 1
    steps.engine.disk.has_free(LEAST)
    for kind in ("count", "new", "much", "later"):
        steps.event(eci, f"keep:{kind}", door="http")
    assert set(rows) == {"keeper/n", "keeper/fresh", "keeper/much"}
    steps.child("keeper")
