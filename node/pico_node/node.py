"""A running node: home, store, driver, peers and HTTP, put together and taken apart in the right order."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from nacl.bindings import crypto_sign_seed_keypair

from pico_engine.errors import BadRequest
from pico_engine.limits import engine_limits
from pico_engine.registry import Compiled, Registry
from pico_engine.store import Store
from pico_engine.values import Json
from pico_node.agent.agent import Agent
from pico_node.agent.mediating import mediator_limits
from pico_node.agent.old_engine import be_compatible
from pico_node.code_cache import CodeCache
from pico_node.disk import DiskWatch
from pico_node.driver import Driver
from pico_node.entropy import SystemEntropy
from pico_node.home import Home
from pico_node.http.app import DOORS, Address, make_app, serve
from pico_node.http.old_engine import OldEngineDoor
from pico_node.http.old_engine_server import serve_old_engine
from pico_node.http.security import is_loopback
from pico_node.options import UpOptions
from pico_node.outside import EgressPolicy
from pico_node.peers import Peers
from pico_node.ruleset_watch import FileWatch
from pico_node.rulesets import load_rulesets
from pico_node.store import LevelStore
from pico_node.watchdog import Watchdog

log = logging.getLogger("picomesh.node")

LISTEN_DEFAULT = "/ip4/127.0.0.1/tcp/0"
"""Nobody gets in unasked: who wants to be reached from elsewhere says so with --listen."""


class Node(Driver):
    """The node of one process. `start` and `stop` it on the main thread's asyncio loop."""

    def __init__(self, options: UpOptions) -> None:
        self.options = options
        self.home = Home(options.home)
        self.home.prepare()
        seed, self.is_new = self.home.key()
        self.owner_token = self.home.token()
        self.registry = Registry(compiler=self._compile)
        self._code_cache = CodeCache(self.home.cache)
        self.ruleset_problems = load_rulesets(self.registry, self.home.rulesets)
        self._node_key = crypto_sign_seed_keypair(seed)[0]
        self._began = time.monotonic()
        self.http_url = ""
        self.http_app = web.Application()
        self.compat_context: Json = None
        """What the existing engine's page asks first; only with --compat."""
        self.mediation: Json = None
        """What the node is as a mediator, and at its own (docs/reference/commands.md)."""
        self._exit = AsyncExitStack()
        self._mediator_limits = mediator_limits(options.mediator_limits)
        self._engine_limits = engine_limits(options.engine_limits)
        store = LevelStore.open(self.home.store)
        try:
            peers = Peers(
                seed, self._listen_addresses(), self, mdns=self._announces, bootstrap=options.bootstrap
            )
        except BaseException:
            store.close()
            raise
        egress = EgressPolicy(options.egress_allow, options.ruleset_folders)
        super().__init__(store, self._agent, peers, egress=egress)

    @property
    def _announces(self) -> bool:
        """A node that listens on loopback alone has nothing to announce on the local network."""
        return self.options.mdns and bool(self.options.listen)

    def _listen_addresses(self) -> tuple[str, ...]:
        """The port of the last run again, if it was chosen by the system: peers remember it."""
        if self.options.listen:
            return self.options.listen
        remembered = self.home.remembered().get("listen")
        for address in remembered if isinstance(remembered, list) else ():
            if isinstance(address, str) and address.startswith("/ip4/127.0.0.1/tcp/"):
                return (address,)
        return (LISTEN_DEFAULT,)

    def _compile(self, text: str, url: str) -> Compiled:
        """The ruleset of a KRL text, by the home's cache."""
        from pico_engine.krl import CompileCache  # a node without KRL rulesets never loads the compiler

        return CompileCache(self._code_cache.read, self._code_cache.write).compile(text, url)

    def _agent(self, store: Store) -> Agent:
        agent = Agent(
            store, self.registry, SystemEntropy(), self._node_key, engine_limits=self._engine_limits
        )
        agent.base_url = self.http_url
        agent.public_url = self.options.public_url
        agent.mediating.wanted = self.options.mediator
        agent.mediating.admits = self.options.mediator_admits
        agent.mediating.limits = self._mediator_limits
        agent.mediated.wanted = self.options.mediated_by
        if self.options.compat:
            be_compatible(agent)
        return agent

    # -- life ---------------------------------------------------------------------------------------------

    async def run_up(self) -> None:
        """Listen and serve. Raises what keeps it from doing so; then everything is closed again."""
        try:
            await self._start_peers()
            self._exit.push_async_callback(self.stop)
            self.start()
            watchdog = Watchdog(
                lambda: self.agent.engine if self.agent is not None else None, self._engine_limits.turn_max_ms
            )
            watchdog.start()
            self._exit.callback(watchdog.stop)
            disk = DiskWatch(lambda: self.agent.engine if self.agent is not None else None, self.home.store)
            disk.start()
            self._exit.callback(disk.stop)
            self.http_app = make_app(
                self,
                token=self.owner_token,
                allowed_hosts=self._allowed_hosts(),
                open_metrics=self.options.open_metrics,
            )
            runner, (host, port) = await self._serve()
            self._exit.push_async_callback(runner.cleanup)
            self.http_url = f"http://{host}:{port}" if ":" not in host else f"http://[{host}]:{port}"
            if self.agent is not None:
                self.agent.base_url = self.http_url
            self.mediation = await self.command("mediation_setup")
            self._remember()
            if self.options.watch:
                watch = FileWatch(self)
                watch.start()
                self._exit.push_async_callback(watch.stop)
            assert self.peers is not None, "a node has peers"
            self.peers.serve()  # last, because it takes a second: owner and devices need not wait for it
        except BaseException:
            await self.take_down()
            raise

    def _allowed_hosts(self) -> tuple[str, ...]:
        public = urlsplit(self.options.public_url).hostname
        return (*self.options.allowed_hosts, public) if public else self.options.allowed_hosts

    async def _serve(self) -> tuple[web.AppRunner, Address]:
        if not self.options.compat:
            return await serve(self.http_app, *self.options.http)
        if not (is_loopback(self.options.http[0]) or self.options.compat_anywhere):
            raise BadRequest(
                f"--compat serves on loopback only, not on {self.options.http[0]}",
                "it gives the node to everybody who reaches the port; --compat-anywhere does so all the same",
            )
        self.compat_context = await self.command("compat_setup")
        doors = self.http_app[DOORS]
        door = OldEngineDoor(
            self, doors.guard, doors.limits, doors.counters, self.compat_context, self.options.compat_ui
        )
        return await serve_old_engine(self.http_app, door, *self.options.http)

    async def _start_peers(self) -> None:
        assert self.peers is not None, "a node has peers"
        from pico_node.peers import AddressTaken

        try:
            await self.peers.start(serve=False)
        except AddressTaken:
            if self.options.listen:
                raise
            log.warning("the libp2p port of the last run is taken; another one is used")
            self.home.remember({**self.home.remembered(), "listen": []})
            seed, _ = self.home.key()
            self.peers = Peers(
                seed, (LISTEN_DEFAULT,), self, mdns=self._announces, bootstrap=self.options.bootstrap
            )
            await self.peers.start(serve=False)
        self._exit.push_async_callback(self.peers.stop)

    def _remember(self) -> None:
        assert self.peers is not None, "a node has peers"
        listen = [address.partition("/p2p/")[0] for address in self.peers.addresses]
        self.home.remember({"http": self.http_url, "pid": os.getpid(), "listen": listen})

    async def take_down(self) -> None:
        """Stop serving, let go of peers, finish the last writes."""
        await self._exit.aclose()
        self._store.close()  # also when it did not come to `start`

    # -- commands that concern the process ----------------------------------------------------------------

    async def command(self, name: str, /, **parameters: Any) -> Json:
        if name == "ruleset_load":
            return await self._load_rulesets()
        answer = await super().command(name, **parameters)
        if name == "status":
            answer = {
                "version": version("picomesh"),
                "pid": os.getpid(),
                "home": str(self.home.path),
                "http": self.http_url,
                "uptime_s": round(time.monotonic() - self._began, 3),
                "store": "ok" if self.store_problem is None else self.store_problem.what,
                **answer,
            }
        return answer

    async def _load_rulesets(self) -> Json:
        self.ruleset_problems = load_rulesets(self.registry, self.home.rulesets)
        if self.agent is not None:
            self.agent.engine.registry_changed(self._now())
            self.wake()
        await asyncio.sleep(0)
        known = [definition.rid for definition in self.registry]
        return {"known": known, "problems": self.ruleset_problems}

    def metrics(self) -> Mapping[str, float]:
        return {**super().metrics(), "uptime_seconds": time.monotonic() - self._began}
