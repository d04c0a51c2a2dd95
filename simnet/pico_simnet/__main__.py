"""`python -m pico_simnet`: run a scenario with many seeds, or look at one run line by line."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from traceback import format_exception

from pico_simnet.runs import SCENARIOS, Run, run
from pico_simnet.trace import mark_of

EXIT_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 when every run held its invariants."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        options.seeds = range(options.seed, options.seed + 1)
    failed = events = simulated_ms = 0
    digests = []
    for seed in options.seeds:
        one = run(seed, options.scenario, keep_trace=options.trace)
        if options.twice and one.failure is None:
            again = run(seed, options.scenario)
            if again.digest != one.digest:
                one.failure = RuntimeError(f"two runs differ: {one.digest} and {again.digest}")
        digests.append(one.digest.encode())
        events += one.events
        simulated_ms += one.simulated_ms
        if options.trace:
            _show(one)
        if one.failure is not None:
            failed += 1
            what = f"{type(one.failure).__name__}: {one.failure}"
            _say(f"seed {seed} failed: {what}", f"  see it: {one.replay}")
    hours = simulated_ms / 3_600_000
    _say(
        f"{len(options.seeds)} runs, {failed} failed; {events} events in {hours:.1f} simulated hours; "
        f"digest {mark_of(digests)}"
    )
    return EXIT_FAILED if failed else 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m pico_simnet", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="greenhouse")
    parser.add_argument("--seeds", type=seed_range, default=range(100), metavar="FIRST-LAST")
    parser.add_argument("--seed", type=int, help="one seed")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--twice", action="store_true", help="run each seed twice and compare the traces")
    return parser


def seed_range(text: str) -> range:
    """`3` or `0-999`, both ends included."""
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no range of seeds, such as 0-999") from error
    if not found:
        raise ArgumentTypeError(f"{text!r} has no seed in it")
    return found


def _show(one: Run) -> None:
    _say(*one.trace.lines)
    if one.failure is not None:
        _say("".join(format_exception(one.failure)).rstrip())
    _say(f"seed {one.seed}: digest {one.digest}")


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
