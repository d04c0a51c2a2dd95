"""Hosts: group commit, effects that wait for it, and crashes."""

from __future__ import annotations

import pytest

from pico_engine.errors import StoreFull
from pico_engine.messages import HTTP_DOOR, Accepted, EventAnswer, EventMessage
from pico_simnet.errors import BadScenario
from pico_simnet.greenhouse import built_in
from pico_simnet.host import HostPace
from pico_simnet.rulesets import Greenhouse
from pico_simnet.world import World

RID = Greenhouse.definition.rid


class Stage:
    """A world of one host with a greenhouse whose disk takes 100 ms for a write."""

    def __init__(self, **pace) -> None:
        self.world = World(3)
        self.host = self.world.host(
            "one", [*built_in(), Greenhouse], HostPace(**{"disk_min_ms": 100, "disk_max_ms": 100, **pace})
        )
        self.pico = self.world.command("one", "pico_new", name="greenhouse", rulesets=[RID])["did"]
        self.door = self.world.command("one", "channel_new", pico=self.pico)["id"]
        self.answers: list = []

    def read(self, number: int, *, durable: bool = False) -> None:
        attrs = {"n": number, "celsius": 20}
        self.host.receive(
            EventMessage(
                self.door, "sensor", "reading", attrs, HTTP_DOOR, reply=self.answers.append, durable=durable
            )
        )

    @property
    def on_disk(self) -> list[int]:
        return self.world.query_disk("one", self.pico, RID, "story")["readings"]


def test_nothing_is_answered_before_it_is_on_the_disk() -> None:
    stage = Stage()
    stage.read(1)
    stage.world.run_for(90)
    assert (stage.answers, stage.on_disk) == ([], [])
    stage.world.run_for(20)
    assert [type(one) for one in stage.answers] == [EventAnswer]
    assert stage.on_disk == [1]


def test_what_comes_during_a_write_goes_into_the_next_as_one() -> None:
    stage = Stage(tick_max_ms=0, early_commit_per_mille=0)
    stage.read(1)
    stage.world.run_for(10)
    before = stage.world.monitor.writes_checked
    for number in range(2, 8):
        stage.read(number)
        stage.world.run_for(5)
    stage.world.run_for(300)
    assert stage.world.monitor.writes_checked == before + 2
    assert stage.on_disk == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("keep", "found"), [(0, []), (1, [1])])
def test_a_crash_takes_what_was_not_synced(keep, found) -> None:
    stage = Stage()
    stage.read(1)
    stage.world.run_for(50)
    stage.host.crash(keep)
    assert not stage.host.is_running
    assert stage.on_disk == found
    with pytest.raises(BadScenario):
        _ = stage.host.agent
    stage.world.run_for(20_000)
    assert stage.host.is_running
    assert stage.answers == []
    stage.read(2)
    stage.world.run_for(500)
    assert stage.on_disk == [*found, 2]


def test_an_accepted_event_survives_a_crash_before_its_turn_is_written() -> None:
    stage = Stage(early_commit_per_mille=1_000)
    stage.read(1, durable=True)
    stage.world.run_until_true(lambda: bool(stage.answers), 1_000, "accepted")
    assert type(stage.answers[0]) is Accepted
    stage.host.crash()
    assert stage.on_disk == []
    stage.world.run_for(20_000)
    assert stage.on_disk == [1]


def test_a_crash_in_the_middle_of_letting_out() -> None:
    stage = Stage(early_commit_per_mille=0)
    for number in (1, 2, 3):
        stage.read(number)
    stage.host.crash_after_effects(2)
    stage.world.run_for(150)
    assert len(stage.answers) == 2
    assert not stage.host.is_running
    assert stage.on_disk == [1, 2, 3]


def test_a_disk_that_fails_ends_the_process() -> None:
    stage = Stage()
    stage.host.disk.fail_next(StoreFull("full"))
    stage.read(1)
    stage.world.run_for(150)
    assert stage.answers == []
    assert stage.host.life == 1 or stage.host.is_running
    stage.world.run_for(20_000)
    assert stage.host.life == 2


def test_each_host_has_its_own_clock() -> None:
    stage = Stage(skew_ms=-5_000)
    assert stage.host.now == stage.world.epoch_ms + stage.world.now - 5_000
