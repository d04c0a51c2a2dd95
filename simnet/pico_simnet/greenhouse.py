"""The greenhouse story: one owner's sensor, a neighbour's watcher, bad weather, and nothing may be lost.

A pico `greenhouse` takes readings from a device and tells the pico `watcher` of a neighbour about those that
are too hot; the watcher answers, and asks back in the middle of its turns. Meanwhile hosts crash, sessions
break, links lose and reorder. Checked at every crash: what was acknowledged is on the disk, nothing is there
twice, what the watcher has heard is the beginning of what the greenhouse said. Checked at the end: all of it
has arrived, and both sides of each connection agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pico_engine.messages import HTTP_DOOR, Accepted, EventAnswer, EventMessage, Failed
from pico_engine.values import Json, thaw
from pico_node.agent.messages import Command
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import Wrangler
from pico_simnet.errors import InvariantBroken
from pico_simnet.host import SimulatedHost
from pico_simnet.rulesets import Greenhouse, Watcher
from pico_simnet.weather import Weather, draw_host_pace, draw_link_pace
from pico_simnet.world import RESTART_MAX_MS, World

TRY_AGAIN_MS = 700
"""An owner whose command got no answer looks again after this time."""
SETTLE_MAX_MS = 240_000
"""Longest time from the end of faults to rest: a few of the longest retry delays (60 s) in a row."""
WAITS_MAX_MS = 11_000
"""After this no turn waits for an answer any more (wait_max_ms is 10 s)."""
PART_PER_MILLE = 200
"""How many of the stories end with the end of the connection."""
READINGS_MIN, READINGS_MAX = 20, 30
"""Per story: enough to meet every fault, few enough for a thousand stories in about a minute."""
HOT_PER_MILLE = 500
"""How many of the readings are violations."""


@dataclass(slots=True)
class _Side:
    """A pico of the story."""

    host: SimulatedHost
    pico: str
    rid: str


@dataclass(slots=True)
class _Sent:
    """What the device knows of its readings."""

    answered: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)
    tried: set[int] = field(default_factory=set)


class GreenhouseStory:
    """Sets the stage on construction; `run` plays it to the end and raises what went wrong."""

    house_ruleset: ClassVar[type[Any]] = Greenhouse
    watcher_ruleset: ClassVar[type[Any]] = Watcher

    def __init__(self, world: World, *, watchers: int | None = None, readings: int | None = None) -> None:
        self.world = world
        self._chance = chance = world.chance.stream("greenhouse")
        self.readings = readings if readings is not None else chance.between(READINGS_MIN, READINGS_MAX)
        count = watchers if watchers is not None else 1 + chance.happens(150)
        self.weather = Weather(world)
        self.sent = _Sent()
        house = self._settle_in("greenhouse", self.house_ruleset)
        self._greenhouse = house
        self._watchers = [
            self._settle_in(f"watcher{number}", self.watcher_ruleset) for number in range(1, count + 1)
        ]
        self._door = str(
            world.command(house.host.name, "channel_new", pico=house.pico, tags=["sensor"])["id"]
        )
        for watcher in self._watchers:
            world.link(house.host.name, watcher.host.name, draw_link_pace(self._chance))
        world.on_crash.append(self._check_disk)

    def _settle_in(self, name: str, ruleset: type[Any]) -> _Side:
        world = self.world
        host = world.host(name, [*built_in(), ruleset], draw_host_pace(self._chance))
        rid = ruleset.definition.rid
        made = world.command(name, "pico_new", name=name, rulesets=[rid])
        return _Side(host, made["did"], rid)

    def run(self) -> None:
        """Play the story."""
        world, chance = self.world, self._chance
        for watcher in self._watchers:
            self._introduce(watcher)
        end = world.now
        for number in range(self.readings):
            end += chance.long_tail(1, 3_000)
            world.at(end, lambda n=number: self._read(n))  # type: ignore[misc]
        self.weather.begin(end)
        world.run_until(end)
        self.weather.end()
        self._come_to_rest()
        self._check_end()
        if chance.happens(PART_PER_MILLE):
            for watcher in self._watchers:
                self._part(watcher)

    # -- what people and devices do -----------------------------------------------------------------------

    def _introduce(self, watcher: _Side) -> None:
        """The neighbour gets an invitation and accepts it, as often as it takes."""

        def accept(invitation: Json) -> None:
            name = watcher.host.name
            Errand(self.world, watcher.host, Command("accept", {"pico": name, "url": invitation["url"]}))

        house = self._greenhouse
        parameters = {"pico": "greenhouse", "my_role": "sensor", "their_role": "watcher"}
        Errand(self.world, house.host, Command("invite", parameters), accept)

    def _part(self, watcher: _Side) -> None:
        """One side ends the connection while it cannot tell the other; then both must know."""
        world, house = self.world, self._greenhouse
        leaving = self._chance.pick((watcher, house))
        link = world.link_of(house.host.name, watcher.host.name)
        link.partition()
        rows: Any = world.command(leaving.host.name, "connections", pico=leaving.pico)
        other = (house if leaving is watcher else watcher).host.peer_id
        row = next(row for row in rows if row["peer_id"] == other)
        world.command(leaving.host.name, "connection_end", pico=leaving.pico, id=row["id"])
        leaving.host.crash()
        world.run_for(RESTART_MAX_MS)
        link.repair()
        world.run_until_true(
            lambda: not {row["Rx"], row["Tx"]} & {eci for _, eci in world.monitor.sides()},
            SETTLE_MAX_MS,
            "both sides know that the connection has ended",
        )

    def _read(self, number: int) -> None:
        """The device sends a reading, once; when nobody answers it does not know what became of it."""
        domain, kind, attrs = self._event(number, is_hot=self._chance.happens(HOT_PER_MILLE))
        durable = self._chance.happens(500)
        if not self._greenhouse.host.is_running:
            return
        self.sent.tried.add(number)
        self._greenhouse.host.receive(
            EventMessage(
                self._door,
                domain,
                kind,
                attrs,
                door=HTTP_DOOR,
                reply=lambda effect: self._answered(number, effect),
                durable=durable,
            )
        )

    def _event(self, number: int, *, is_hot: bool) -> tuple[str, str, dict[str, Json]]:
        """What the device sends: domain, type, attributes."""
        return "sensor", "reading", {"n": number, "celsius": 40 if is_hot else 20}

    def _answered(self, number: int, effect: EventAnswer | Accepted | Failed) -> None:
        if isinstance(effect, EventAnswer):
            self.sent.answered.add(number)
        elif isinstance(effect, Accepted):
            self.sent.accepted.add(number)
        else:
            self.sent.refused[number] = effect.error.code
        self.world.trace_line("device", f"reading {number}: {type(effect).__name__}")

    # -- what must hold -----------------------------------------------------------------------------------

    def _story(self, side: _Side) -> Any:
        return self.world.query_disk(side.host.name, side.pico, side.rid, "story")

    def _check_disk(self, host: SimulatedHost) -> None:
        """Right after a crash: is the disk what the world was told?"""
        house = self._story(self._greenhouse)
        if host is self._greenhouse.host:
            self._check_readings(house["readings"], self.sent.answered)
        for watcher, (told, heard) in self._pairs(house):
            story = self._story(watcher)
            check_beginning("violations heard", story["violations"], told)
            check_beginning("violations confirmed", heard, story["violations"])

    def _pairs(self, house: Any) -> list[tuple[_Side, tuple[list[int], list[int]]]]:
        """Each watcher that the greenhouse has met, with what was said to it and what it confirmed."""
        met = {eci: pico for pico, eci in self.world.monitor.connected()}
        pairs = []
        for watcher in self._watchers:
            for tx, told in house["told"].items():
                if met.get(tx) == watcher.pico:
                    pairs.append((watcher, (told, house["heard"][tx])))
        return pairs

    def _check_readings(self, readings: list[int], sure: set[int]) -> None:
        doubled = sorted({number for number in readings if readings.count(number) > 1})
        if doubled:
            raise InvariantBroken(f"readings {doubled} were applied more than once")
        lost = sorted(sure - set(readings))
        if lost:
            raise InvariantBroken(f"readings {lost} were acknowledged and are lost")
        if not set(readings) <= self.sent.tried:
            raise InvariantBroken("there are readings that nobody sent")

    def _come_to_rest(self) -> None:
        world, sides = self.world, 2 * len(self._watchers)
        for _ in range(2):  # what a waiting turn sends when it is done must settle too
            world.run_until_true(
                lambda: len(world.monitor.connected()) == sides and not world.monitor.unsettled(),
                SETTLE_MAX_MS,
                "everything delivered and acknowledged",
            )
            world.run_for(WAITS_MAX_MS)

    def _check_end(self) -> None:
        self._check_story()
        for one in (self._greenhouse, *self._watchers):
            self._check_connections(one)

    def _check_story(self) -> None:
        house = self._story(self._greenhouse)
        self._check_readings(house["readings"], self.sent.answered | self.sent.accepted)
        pairs = self._pairs(house)
        if len(pairs) != len(self._watchers):
            raise InvariantBroken(f"the greenhouse has met {len(pairs)} of {len(self._watchers)} watchers")
        for watcher, (told, heard) in pairs:
            story = self._story(watcher)
            if story["violations"] != told or heard != told:
                raise InvariantBroken(
                    f"the greenhouse told {told}, {watcher.host.name} heard {story['violations']}, "
                    f"and confirmed {heard}"
                )
            check_counts(story["answers"], house["readings"])

    def _check_connections(self, side: _Side) -> None:
        rows: Any = thaw(self.world.command(side.host.name, "connections", pico=side.pico))
        for row in rows:
            if row["state"] == "invited":
                continue  # an invitation whose answer was lost in a crash, and made again
            if row["state"] != "established" or row["unacknowledged"]:
                raise InvariantBroken(
                    f"{side.host.name}: a connection is {row['state']} with {row['unacknowledged']} unsent"
                )


class Errand:
    """A command that somebody gives until it is answered: again after each crash that took the answer."""

    def __init__(self, world: World, host: SimulatedHost, command: Command, then: Any = None) -> None:
        self._world = world
        self._host = host
        self._command = command
        self._then = then
        self._done = False
        self._tried_life = 0
        self._try()

    def _try(self) -> None:
        if self._done:
            return
        if self._host.is_running and self._host.life != self._tried_life:
            self._tried_life = self._host.life
            self._host.receive(Command(self._command.name, self._command.parameters, reply=self._answer))
        self._world.after(TRY_AGAIN_MS, self._try)

    def _answer(self, effect: Any) -> None:
        if isinstance(effect, Failed):
            raise InvariantBroken(f"{self._command.name} was refused: {effect.error}") from effect.error
        if not self._done:
            self._done = True
            if self._then is not None:
                self._then(effect.value)


def check_beginning(what: str, part: list[int], whole: list[int]) -> None:
    """`part` must be a beginning of `whole`: nothing lost, doubled or out of order."""
    if part != whole[: len(part)]:
        raise InvariantBroken(f"{what}: {part} is no beginning of {whole}")


def check_counts(answers: list[list[int]], readings: list[int]) -> None:
    """What the watcher was told in answer to its questions fits what it knew when it asked."""
    last = 0
    for number, count in answers:
        least = readings.index(number) + 1 if number >= 0 else 0
        if not max(last, least) <= count <= len(readings):
            raise InvariantBroken(f"a query answered {count} after {last}, when at least {least} were there")
        last = count


def built_in() -> list[type[Any]]:
    """The rulesets that every node has."""
    return [Wrangler, Subscription]
