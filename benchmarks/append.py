"""What one event costs that appends to a stored list: to one of ten readings, and to one of 100,000."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.common import (
    Core,
    Options,
    Readings,
    folder,
    main,
    median,
    new_pico,
    percentile,
    table,
    timings_ms,
)

SHORT, LONG = 10, 100_000


async def run(options: Options) -> Mapping[str, float]:
    count, rounds = int(options.pick(300, 1_000)), 5
    with folder() as path:
        async with Core(path / "store") as driver:
            ecis = {}
            for size in (SHORT, LONG):
                ecis[size] = await new_pico(driver, f"list-{size}", Readings.definition.rid)
                for start in range(0, size, 10_000):
                    attrs = {"count": min(10_000, size - start)}
                    await driver.event(ecis[size], "readings", "fill", attrs)

            async def add(size: int) -> float:
                async def send() -> None:
                    await driver.event(ecis[size], "readings", "add", {"celsius": 21.5})

                return percentile(await timings_ms(send, count), 0.5)

            await add(SHORT)
            short, long, ratios = [], [], []
            for _ in range(rounds):  # in turn, so that both see the same machine
                short.append(await add(SHORT))
                long.append(await add(LONG))
                ratios.append(long[-1] / short[-1])
    table(
        [
            (f"event appending to {SHORT} readings", f"{median(short):.3f} ms"),
            (f"event appending to {LONG:,} readings", f"{median(long):.3f} ms"),
            ("ratio", f"{median(ratios):.2f}"),
        ]
    )
    return {"ratio": median(ratios), "short_p50_ms": median(short), "long_p50_ms": median(long)}


if __name__ == "__main__":
    main(run)
