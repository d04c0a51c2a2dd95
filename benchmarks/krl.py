"""KRL: counter events beside the Python form, one key of a small and a large map, and compiling.

With `PICOMESH_PICO_ENGINE` naming a folder whose node_modules has the existing engine (pico-engine-core), and
a `node` on the path, the same counter and map rulesets run there too, in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import (
    Counter,
    Options,
    events_per_s,
    folder,
    main,
    make_agent_of,
    median,
    new_pico,
    registry,
    say,
    table,
)
from pico_engine.krl import CompileCache, compile_ruleset
from pico_node.driver import Driver
from pico_node.store import LevelStore

CLIENTS = 256
HOT_PICOS = 64
SMALL, LARGE = 10, 6_000
ROUNDS = 3
ENGINE_FOLDER = "PICOMESH_PICO_ENGINE"

COUNTER_RID, MAPS_RID = "picomesh.bench.krl.counter", "picomesh.bench.krl.maps"
COUNTER = f"""ruleset {COUNTER_RID} {{
  meta {{ shares value }}
  global {{ value = function(){{ ent:count }} }}
  rule increase {{
    select when counter inc
    always {{ ent:count := ent:count.defaultsTo(0) + 1 }}
  }}
}}
"""
MAPS = f"""ruleset {MAPS_RID} {{
  global {{ entry = function(n){{ {{"n": n, "text": "reading number " + n}} }} }}
  rule fill {{
    select when maps fill
    foreach 0.range(event:attrs{{"size"}} - 1) setting(n)
    always {{ ent:m{{"key" + n}} := entry(n) }}
  }}
  rule put {{
    select when maps put
    always {{ ent:m{{event:attrs{{"key"}}}} := entry(event:attrs{{"n"}}) }}
  }}
}}
"""


def long_ruleset(rules: int = 17) -> str:
    """A ruleset of 200 lines with a bit of everything, as people write them."""
    head = """ruleset org.example.bench.long {
  meta {
    name "A long ruleset"
    description <<What a home with many sensors may have.>>
    author "picomesh"
    shares readings, newest, over, __testing
  }
  global {
    readings = function(){
      ent:readings.defaultsTo([])
    }
    newest = function(most = 10){ readings().reverse().slice(0, most - 1) }
    over = function(limit){
      readings().filter(function(r){ r{"value"} > limit })
                .map(function(r){ r.put("over", r{"value"} - limit) })
    }
    text_of = function(r){ <<#{r{"name"}} at #{r{"at"}}: #{r{"value"}}>> }
  }
"""
    body = """  rule sensor_NUMBER {
    select when sensor_NUMBER reading value re#^(-?[0-9.]+)$# setting(value)
      where value.as("Number") < 1000
    pre {
      reading = {"at": time:now(), "name": event:attrs{"name"} || "NUMBER", "value": value.as("Number")}
    }
    if reading{"value"} > ent:limit.defaultsTo(30) then
      send_directive("hot", {"text": text_of(reading), "count": over(30).length()})
    fired { raise alarm event "hot" attributes reading }
    finally { ent:readings := ent:readings.defaultsTo([]).append(reading) }
  }
"""
    return head + "".join(body.replace("NUMBER", str(number)) for number in range(rules)) + "}\n"


_COLD = """
import sys, time
from pico_engine.krl import compile_ruleset
text = sys.stdin.read()
began = time.perf_counter()
compile_ruleset(text)
print((time.perf_counter() - began) * 1_000)
"""


def compile_cold_ms(text: str) -> float:
    """The first compilation in a fresh process."""
    taken = []
    for _ in range(5):
        made = subprocess.run(
            [sys.executable, "-c", _COLD], input=text, capture_output=True, text=True, check=True
        )
        taken.append(float(made.stdout))
    return median(taken)


def compile_cached_ms(text: str) -> float:
    """Restoring what was compiled before, by the hash of its source."""
    kept: dict[str, bytes] = {}
    cache = CompileCache(kept.get, kept.__setitem__)
    cache.compile(text)
    taken = []
    for _ in range(20):
        began = time.perf_counter()
        cache.compile(text)
        taken.append((time.perf_counter() - began) * 1_000)
    return median(taken)


async def measure(path: Path, seconds: float) -> tuple[float, float, float, float]:
    """Events per second: KRL counter, Python counter, one key of a small map, one key of a large one."""
    known = registry()
    for text in (COUNTER, MAPS):
        known.add(compile_ruleset(text).definition)
    driver = Driver(LevelStore.open(path), make_agent_of(known))
    driver.start()
    rids = (COUNTER_RID, Counter.definition.rid, MAPS_RID, MAPS_RID)
    hot = [[await new_pico(driver, f"{rid}-{i}", rid) for i in range(HOT_PICOS)] for rid in rids]
    for ecis, size in ((hot[2], SMALL), (hot[3], LARGE)):
        for eci in ecis[:4]:
            await driver.event(eci, "maps", "fill", {"size": size})
    found: list[list[float]] = [[], [], [], []]
    for number in range(ROUNDS + 1):
        for which, ecis in enumerate(hot):

            async def send(client: int, ecis: list[str] = ecis, which: int = which) -> None:
                if which < 2:
                    await driver.event(ecis[client % HOT_PICOS], "counter", "inc", {})
                else:
                    await driver.event(ecis[client % 4], "maps", "put", {"key": f"key{client % 10}", "n": 1})

            rate = await events_per_s(send, CLIENTS, seconds)
            if number:  # the first round warms up
                found[which].append(rate)
    await driver.stop()
    krl, python, small, large = (median(rates) for rates in found)
    return krl, python, small, large


_NODE = """
const home = process.argv[1], path = process.argv[2], seconds = +process.argv[3];
process.chdir(home);
const find = name => require(require.resolve(name, {paths: [home, home + '/packages/pico-engine',
  home + '/packages/pico-engine-core', home + '/node_modules/pico-engine-core']}));
const {PicoEngineCore, RulesetRegistryLoaderMem} = find('pico-engine-core');
const {ClassicLevel} = find('classic-level');
const krl = find('krl-stdlib');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const allow = {tags: ['bench'], eventPolicy: {allow: [{domain: '*', name: '*'}], deny: []},
  queryPolicy: {allow: [{rid: '*', name: '*'}], deny: []}};
(async () => {
  const core = new PicoEngineCore({
    db: new ClassicLevel(path,
      {keyEncoding: find('charwise'), valueEncoding: find('level-json-coerce-null')}),
    log: krl.makeKrlLogger(() => {}), getPicoLogs: async () => [],
    rsRegLoader: RulesetRegistryLoaderMem(async url => texts[+url.slice(-1)])});
  await core.start();
  const pico = core.picoFramework.rootPico;
  for (let i = 0; i < texts.length; i++) {
    const url = 'http://bench.example/' + i;
    const found = await core.rsRegistry.load(url);
    await pico.install(found.ruleset, {url, config: {}});
  }
  const eci = (await pico.newChannel(allow)).id;
  const send = (domain, name, attrs) =>
    core.eventWait({eci, domain, name, data: {attrs}, time: Date.now()});
  const rate = async work => {
    const end = Date.now() + seconds * 1000, began = Date.now();
    let done = 0;
    const client = async () => { while (Date.now() < end) { await work(done); done++; } };
    await Promise.all(Array.from({length: 32}, client));
    return done * 1000 / (Date.now() - began);
  };
  const inc = () => send('counter', 'inc', {});
  await rate(inc);
  const found = {counter: await rate(inc)};
  for (const size of [10, 6000]) {
    await send('maps', 'fill', {size});
    found['map_' + size] = await rate(n => send('maps', 'put', {key: 'key' + n % 10, n: 1}));
  }
  console.log(JSON.stringify(found));
  process.exit(0);
})();
"""


def existing_engine(seconds: float) -> dict[str, float] | None:
    """Events per second of the existing engine with the same rulesets; None where it is not there."""
    home, node = os.environ.get(ENGINE_FOLDER), shutil.which("node")
    if not home or node is None:
        return None
    with folder() as path:
        made = subprocess.run(
            [node, "-e", _NODE, home, str(path / "db"), str(seconds)],
            input=json.dumps([COUNTER, MAPS]),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    if made.returncode != 0 or not made.stdout.strip():
        say(f"the existing engine did not run: {made.stderr.strip()[-400:]}")
        return None
    found: dict[str, float] = json.loads(made.stdout.strip().splitlines()[-1])
    return found


async def run(options: Options) -> Mapping[str, float]:
    seconds = options.pick(1.0, 3.0)
    text = long_ruleset()
    cold, cached = compile_cold_ms(text), compile_cached_ms(text)
    with folder() as path:
        krl, python, small, large = await measure(path / "store", seconds)
    rows = [
        (f"KRL counter events, {CLIENTS} in flight, durable", f"{krl:,.0f}/s"),
        ("the same rule in Python", f"{python:,.0f}/s (KRL costs {python / krl:.2f} times as much)"),
        (f"ent:m{{key}} := value, map of {SMALL}", f"{small:,.0f}/s"),
        (
            f"ent:m{{key}} := value, map of {LARGE:,}",
            f"{large:,.0f}/s (costs {small / large:.2f} times as much)",
        ),
        (f"compiling {len(text.splitlines())} lines, fresh process", f"{cold:.1f} ms"),
        ("the same from the cache", f"{cached:.2f} ms"),
    ]
    other = await asyncio.to_thread(existing_engine, seconds)
    if other is not None:
        rows += [
            ("existing engine: counter events, 32 in flight", f"{other['counter']:,.0f}/s"),
            (f"existing engine: map of {SMALL}", f"{other['map_10']:,.0f}/s"),
            (f"existing engine: map of {LARGE:,}", f"{other['map_6000']:,.0f}/s"),
        ]
    table(rows)
    return {
        "events_per_s": krl,
        "krl_over_python": python / krl,
        "compile_cold_ms": cold,
        "compile_cached_ms": cached,
        "map_set_ratio": small / large,
        **({f"existing_{name}_per_s": rate for name, rate in other.items()} if other is not None else {}),
    }


if __name__ == "__main__":
    main(run)
