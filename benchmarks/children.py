"""How long 1,000 children with the built-in rulesets take, made through the wrangler, durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from benchmarks.common import Core, Options, folder, main, median, table
from pico_engine.messages import OWNER
from pico_engine.values import EMPTY_MAP

CHILDREN = 1_000


async def once() -> float:
    with folder() as path:
        async with Core(path / "store") as driver:
            root = (await driver.command("status"))["root"]
            began = time.perf_counter()
            await asyncio.gather(
                *(
                    driver.event(root, "wrangler", "new_child_request", {"name": f"child {i}"}, door=OWNER)
                    for i in range(CHILDREN)
                )
            )
            # The children set themselves up in turns of their own: wait until each has told its parent.
            while len(await driver.query(root, WRANGLER, "children", EMPTY_MAP, door=OWNER)) < CHILDREN:
                await asyncio.sleep(0.01)
            assert driver.agent is not None, "the driver runs"
            while driver.agent.engine.runner.ready or driver.agent.has_changes:
                await asyncio.sleep(0.001)
            return time.perf_counter() - began


WRANGLER = "io.picolabs.wrangler"


async def run(options: Options) -> Mapping[str, float]:
    seconds = [await once() for _ in range(3 if options.quick else 7)]
    table([(f"{CHILDREN:,} children", f"{median(seconds):.2f} s ({CHILDREN / median(seconds):,.0f}/s)")])
    return {"seconds_per_1000": median(seconds)}


if __name__ == "__main__":
    main(run)
