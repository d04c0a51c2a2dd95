"""The command line: ranges of seeds, the trace of one, and what is printed of a failure."""

from __future__ import annotations

import pytest

from pico_simnet import __main__ as command
from pico_simnet import runs
from tests.simnet.test_runs import Broken


def test_a_range_of_seeds_that_holds(capsys) -> None:
    assert command.main(["--seeds", "0-2", "--twice"]) == 0
    assert capsys.readouterr().out.startswith("3 runs, 0 failed; ")


def test_the_trace_of_one_seed(capsys) -> None:
    assert command.main(["--seed", "1", "--trace"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 100
    assert "start 1" in lines[0]
    assert lines[-2] == f"seed 1: digest {runs.run(1).digest}"


def test_a_failing_seed_comes_with_its_command(monkeypatch, capsys) -> None:
    monkeypatch.setitem(runs.SCENARIOS, "broken", Broken)
    assert command.main(["--scenario", "broken", "--seeds", "7-8"]) == 1
    out = capsys.readouterr().out
    assert "seed 7 failed: InvariantBroken: invariant-broken: always" in out
    assert "  see it: python -m pico_simnet --scenario broken --seed 8 --trace" in out
    assert "2 runs, 2 failed" in out


def test_the_trace_of_a_failure_ends_with_where_it_happened(monkeypatch, capsys) -> None:
    monkeypatch.setitem(runs.SCENARIOS, "broken", Broken)
    assert command.main(["--scenario", "broken", "--seed", "7", "--trace"]) == 1
    assert "test_runs.py" in capsys.readouterr().out


def test_runs_that_differ_are_failures(monkeypatch, capsys) -> None:
    seen: list[int] = []

    class Wanders(Broken):
        def run(self) -> None:
            seen.append(1)
            self.world.trace_line("world", f"{len(seen)}")

    monkeypatch.setitem(runs.SCENARIOS, "wanders", Wanders)
    assert command.main(["--scenario", "wanders", "--seed", "1", "--twice"]) == 1
    assert "two runs differ" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "x", "5-1", "1-x"])
def test_what_is_no_range(text, capsys) -> None:
    with pytest.raises(SystemExit):
        command.main(["--seeds", text])
    assert "--seeds" in capsys.readouterr().err
