"""The rulesets of the simulated stories, without weather: what they keep is what the checks rely on."""

from __future__ import annotations

import pytest

from pico_engine.messages import HTTP_DOOR, EventMessage
from pico_simnet.greenhouse import built_in
from pico_simnet.rulesets import ASKS_EVERY, Greenhouse, Watcher
from pico_simnet.world import World


class Stage:
    """A greenhouse and watchers in good weather, each on a host of its own; `connect` joins them."""

    def __init__(self, watchers: int = 1, *, together: bool = False, **config: int) -> None:
        self.world = World(7)
        self.hosts: dict[str, str] = {}
        self.greenhouse = self._pico("greenhouse", "one", Greenhouse, config)
        self.watchers = [
            self._pico(f"watcher{n}", "one" if together else f"other{n}", Watcher, {})
            for n in range(watchers)
        ]
        self.door = self.command("channel_new", pico=self.greenhouse)["id"]

    def command(self, name: str, /, **parameters):
        return self.world.command(self.hosts[parameters["pico"]], name, **parameters)

    def _pico(self, name: str, host: str, ruleset, config) -> str:
        if host not in self.world.hosts:
            self.world.host(host, [*built_in(), Greenhouse, Watcher])
            if host != "one":
                self.world.link("one", host)
        did = self.world.command(host, "pico_new", name=name)["did"]
        self.hosts[did] = host
        self.command("ruleset_install", pico=did, rid=ruleset.definition.rid, config=config)
        return did

    def connect(self) -> None:
        for watcher in self.watchers:
            invitation = self.command("invite", pico=self.greenhouse)
            self.command("accept", pico=watcher, url=invitation["url"])
            self.world.run_for(5_000)

    def read(self, *celsius: int) -> None:
        host = self.world.hosts[self.hosts[self.greenhouse]]
        for number, degrees in enumerate(celsius):
            attrs = {"n": number, "celsius": degrees}
            host.receive(EventMessage(self.door, "sensor", "reading", attrs, HTTP_DOOR))
            self.world.run_for(2_000)

    def story(self, pico: str, ruleset=Watcher):
        return self.world.query_disk(self.hosts[pico], pico, ruleset.definition.rid, "story")


def test_readings_are_kept_in_order_with_nobody_there() -> None:
    stage = Stage()
    stage.read(20, 40, 20)
    assert stage.story(stage.greenhouse, Greenhouse) == {"readings": [0, 1, 2], "told": {}, "heard": {}}
    assert stage.story(stage.watchers[0]) == {"violations": [], "answers": []}


def test_a_watcher_asks_when_it_is_met() -> None:
    stage = Stage()
    stage.read(20, 20)
    stage.connect()
    assert stage.story(stage.watchers[0])["answers"] == [[-1, 2]]
    house = stage.story(stage.greenhouse, Greenhouse)
    assert [*house["told"].values(), *house["heard"].values()] == [[], []]


@pytest.mark.parametrize("watchers", [1, 2])
def test_what_was_too_hot_is_told_heard_and_confirmed(watchers: int) -> None:
    stage = Stage(watchers)
    stage.connect()
    stage.read(30, 31, 20, 99)
    house = stage.story(stage.greenhouse, Greenhouse)
    assert house["readings"] == [0, 1, 2, 3]
    assert list(house["told"].values()) == list(house["heard"].values()) == [[1, 3]] * watchers
    assert all(stage.story(one)["violations"] == [1, 3] for one in stage.watchers)


def test_the_limit_can_be_set() -> None:
    stage = Stage(limit_celsius=20)
    stage.connect()
    stage.read(20, 21)
    assert stage.story(stage.watchers[0])["violations"] == [1]


def test_every_so_often_the_watcher_asks_back() -> None:
    stage = Stage()
    stage.connect()
    hot = 2 * ASKS_EVERY + 1
    stage.read(*[40] * hot)
    answers = stage.story(stage.watchers[0])["answers"]
    assert [n for n, _ in answers] == [-1, ASKS_EVERY - 1, 2 * ASKS_EVERY - 1]
    assert [count for _, count in answers] == [0, ASKS_EVERY, 2 * ASKS_EVERY]


def test_it_is_the_same_between_neighbours_on_one_host() -> None:
    stage = Stage(together=True)
    stage.connect()
    stage.read(40)
    assert stage.story(stage.watchers[0])["violations"] == [0]
    assert list(stage.story(stage.greenhouse, Greenhouse)["heard"].values()) == [[0]]
