"""Weather: faults from the seed, within their limits and within their time, of every kind."""

from __future__ import annotations

from collections import Counter

import pytest

from pico_engine.errors import StoreFull
from pico_simnet import weather
from pico_simnet.chance import Chance
from pico_simnet.greenhouse import GreenhouseStory
from pico_simnet.links import DATAGRAM, STREAM
from pico_simnet.weather import Weather, draw_host_pace, draw_link_pace
from pico_simnet.world import World

UNTIL_MS = 60_000
CRASHES = ("crash", "crash_in_write", "crash_after_effects", "fail_next")


class Noting:
    """A host, its disk or a link: notes what the weather does to it, and when."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.notes: list[tuple[int, str]] = []
        self.given: list = []
        self.disk = self

    def __getattr__(self, name: str):
        def note(*given) -> None:
            self.notes.append((self.world.now, name))
            self.given += given

        return note

    def names(self) -> list[str]:
        return [name for _, name in self.notes]


def played(seed: int, *, end_ms: int | None = None) -> tuple[World, Noting, Noting]:
    """A host and a link after their weather; it was ended at `end_ms`."""
    world = World(seed)
    host, link = Noting(world, "one"), Noting(world, "one-two")
    world.hosts["one"], world.links = host, [link]
    world.end_faults = lambda: host.mend()
    bad = Weather(world)
    bad.begin(UNTIL_MS)
    if end_ms is not None:
        world.run_until(end_ms)
        bad.end()
    world.run_until(UNTIL_MS + weather.PARTITION_MAX_MS)
    return world, host, link


SEEDS = range(40)


def test_every_kind_of_fault_happens_within_its_limits() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        _, host, link = played(seed)
        assert weather.CRASHES_MIN <= len(host.notes) <= weather.CRASHES_MAX
        assert link.names().count("cut") <= weather.LINK_FAULTS_MAX
        seen.update(host.names() + link.names())
        assert all(isinstance(one, StoreFull) for one in host.given if isinstance(one, Exception))
    assert set(seen) == {*CRASHES, "cut", "partition", "repair", "hold", "release"}


@pytest.mark.parametrize(
    ("start", "stop", "longest_ms"),
    [("partition", "repair", weather.PARTITION_MAX_MS), ("hold", "release", weather.HOLD_MAX_MS)],
)
def test_what_begins_ends_in_time(start, stop, longest_ms) -> None:
    lengths = []
    for seed in SEEDS:
        _, _, link = played(seed)
        times = {name: at for at, name in link.notes if name in (start, stop)}
        if times:
            assert times[start] <= UNTIL_MS
            lengths.append(times[stop] - times[start])
    assert len(lengths) > 5
    assert all(10 <= length <= longest_ms for length in lengths)


def test_a_crash_keeps_a_part_of_what_was_on_its_way() -> None:
    keeps = [keep for seed in SEEDS for keep in played(seed)[1].given if callable(keep)]
    assert keeps
    assert {keep(2) for keep in keeps for _ in range(10)} == {0, 1, 2}
    assert {keep(0) for keep in keeps} == {0}


@pytest.mark.parametrize("end_ms", [0, 5_000, 30_000])
def test_after_the_end_nothing_happens_any_more(end_ms) -> None:
    for seed in SEEDS:
        _, host, link = played(seed, end_ms=end_ms)
        assert host.names().count("mend") == 1
        assert all(at <= end_ms for at, _ in host.notes + link.notes)


def test_the_same_seed_makes_the_same_weather_and_another_another() -> None:
    def notes(seed: int):
        _, host, link = played(seed)
        return host.notes, link.notes

    assert notes(3) == notes(3)
    assert len({str(notes(seed)) for seed in SEEDS}) == len(SEEDS)


def test_hosts_of_every_kind() -> None:
    paces = [draw_host_pace(Chance(seed, "test")) for seed in range(300)]
    assert {pace.disk_max_ms for pace in paces} == {0, 5, 20, 200, 1_500}
    assert {pace.writes_max for pace in paces} == {1, 2, 3}
    assert all(abs(pace.skew_ms) <= weather.SKEW_MAX_MS for pace in paces)
    wrong = sum(pace.skew_ms != 0 for pace in paces)
    assert 40 < wrong < 150


def test_links_of_every_kind() -> None:
    paces = [draw_link_pace(Chance(seed, "test")) for seed in range(300)]
    kinds = Counter(pace.kind for pace in paces)
    assert set(kinds) == {STREAM, DATAGRAM}
    assert min(kinds.values()) > 100
    for pace in paces:
        assert pace.kind == DATAGRAM or (pace.loss_per_mille, pace.repeat_per_mille) == (0, 0)
        assert pace.latency_min_ms <= pace.latency_max_ms
    assert {pace.loss_per_mille for pace in paces} == {0, 50, 300}


def test_the_weather_is_bad_enough() -> None:
    """Over a few seeds everything happens that is to be survived."""
    text = ""
    for seed in range(15):
        world = World(seed, keep_trace=True)
        GreenhouseStory(world).run()
        text += "\n".join(world.trace.lines)
    for sign in (
        "writes kept 0, lost 1",
        "writes kept 1",
        "partition",
        "hold",
        "release",
        "lost ",
        "session breaks: bad weather",
        "is gone",
        "EventAnswer",
        "Accepted",
        "PeerDown",
        "failed: store-full",
    ):
        assert sign in text, f"{sign!r} never happened"
