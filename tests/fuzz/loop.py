"""The run that the fuzzers of DIDComm share: one input after the other, watched for time and for memory.

The memory that is watched is what the process holds at the end, and the most that it ever held: what is kept
for ever, and what one input needs for a moment. A fuzzer must not make inputs that are large themselves, or
it would be they that are measured: `INPUT_BYTES_MAX`.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import resource
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

INPUT_S_MAX: Final = 0.5
"""CPU for one input, which may be read several times; an honest envelope takes about 0.2 ms, and 1 MiB of
brackets 0.15 s."""

INPUT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Four times what `unpack` reads, so that it is tried what becomes of too much."""

HELD_BYTES_MAX: Final = 24 * 1024 * 1024
"""Growth after the first inputs to the end: caches are full by then. A million inputs that leak 25 bytes each
do not pass it."""

PEAK_BYTES_MAX: Final = 96 * 1024 * 1024
"""Growth at any moment: an envelope of 1 MiB, the most that `unpack` reads, may be JSON of a million small
values, and takes up to 40 times its size while it is read, as it does in any reader of JSON in Python."""

WARM_UP_INPUTS: Final = 1_000
"""Before these the tables and caches fill."""


def memory_bytes() -> tuple[int, int]:
    """What this process holds, without what its allocator keeps for later, and the most that it ever held."""
    gc.collect()
    with suppress(OSError, AttributeError):  # not every C library can give memory back when asked
        ctypes.CDLL(None).malloc_trim(0)
    held = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return held, max(held, most)  # the system writes the peak down now and then


def _check_time(work: Callable[[], object]) -> None:
    """What took long may have had a slow moment of the machine; what takes long each time is slow."""
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    assert min(took) < INPUT_S_MAX, f"took {min(took):.2f} s"


def run(
    module: str,
    inputs: Callable[[int, int], tuple[str, str | bytes]],
    feed: Callable[[str, str | bytes], str],
    count: int,
    seed: int,
    first: int = 0,
) -> Counter[str]:
    """Feeds `inputs(seed, number)`, a kind and what it is; counts the words that `feed` answers with.

    AssertionError says which input broke what, or that memory grew. `module` repeats one by its number.
    """
    outcomes: Counter[str] = Counter()
    at_start = (0, 0)
    for number in range(first, first + count):
        kind, data = inputs(seed, number)
        try:
            assert len(data) <= INPUT_BYTES_MAX, f"the fuzzer itself makes {len(data):,} bytes"
            began = time.process_time()
            outcomes[f"{kind}: {feed(kind, data)}"] += 1
            if time.process_time() - began > INPUT_S_MAX:
                _check_time(lambda feed=feed, kind=kind, data=data: feed(kind, data))
        except Exception as error:
            again = f"python -m {module} --count 1 --seed {seed} --first {number}"
            raise AssertionError(f"input {number} ({kind}): {error!r}; again: {again}") from error
        if number == first + min(count - 1, WARM_UP_INPUTS):
            at_start = memory_bytes()
    grown = tuple(now - before for now, before in zip(memory_bytes(), at_start, strict=True))
    told = f"memory grew by {grown[0]:,} bytes in {count:,} inputs, for a moment by {grown[1]:,}"
    assert grown[0] <= HELD_BYTES_MAX, told
    assert grown[1] <= PEAK_BYTES_MAX, told
    return outcomes


def main(what: str, run_these: Callable[[int, int, int], Counter[str]]) -> None:
    """The command line of a fuzzer: `run_these(count, seed, first)`, and a line of each outcome."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    for outcome, times in sorted(run_these(options.count, options.seed, options.first).items()):
        print(f"{times:9,}  {outcome}")
    print(
        f"{options.count:,} inputs in {time.perf_counter() - began:.0f} s, "
        f"{memory_bytes()[0]:,} bytes held, {memory_bytes()[1]:,} at most"
    )
