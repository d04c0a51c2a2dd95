"""Rulesets written at random do no harm, and the same everywhere; `tests/fuzz/krl.py` runs many more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.krl import made, tried

ROOT = Path(__file__).parents[3]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32))
def test_random_rulesets_are_refused_or_run(number: int) -> None:
    assert tried(made(0, number, [])).split()[0] in ("refused", "ran")


def test_most_of_them_run() -> None:
    assert sum(tried(made(5, number, [])).startswith("ran") for number in range(30)) > 10


def test_the_same_happens_in_every_process() -> None:
    """Whatever Python hashes its strings with: no order of a set shows anywhere."""

    def digest(hash_seed: str) -> str:
        command = [sys.executable, "-m", "tests.fuzz.krl", "--count", "60", "--seed", "11"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=300
        )
        return done.stdout.rpartition("digest ")[2]

    assert len(digest("1").strip()) == 32
    assert digest("1") == digest("4242")
