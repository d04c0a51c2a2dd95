"""The owner's commands; docs/reference/commands.md lists them with their parameters and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pico_didcomm.errors import NotFetched
from pico_engine.api import PicoView
from pico_engine.channels import parse_policy
from pico_engine.errors import BadRequest, EngineError, UnknownPico
from pico_engine.events import Event, split_name
from pico_engine.installing import check_url
from pico_engine.messages import (
    OWNER,
    EventAnswer,
    EventMessage,
    Failed,
    OperationAnswer,
    OperationMessage,
    QueryAnswer,
    QueryMessage,
)
from pico_engine.turn import Send
from pico_engine.values import Json, freeze, thaw
from pico_node.agent.messages import Command, CommandAnswer
from pico_node.agent.old_engine import set_up_root
from pico_node.agent.parameters import Signature
from pico_node.agent.rows import connections_of

if TYPE_CHECKING:
    from pico_engine.pico import Pico
    from pico_node.agent.agent import Agent

LIST_MAX_PICOS = 100_000
"""A list of picos is one answer; who has more walks the tree."""
_NOTHING_YET = object()


@dataclass(slots=True)
class CommandReply:
    """Marks a message of the engine whose answer is a command's; `change` makes the one of the other."""

    reply: Any
    change: Callable[[Any], Json]


class Commands:
    """Turns commands into operations on picos, and their answers into the commands'."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.known: Mapping[str, Callable[..., Any]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        self._signatures = {name: Signature(name, handler) for name, handler in self.known.items()}

    def run(self, command: Command) -> None:
        """Carry out a command; its answer comes as an effect."""
        agent = self._agent
        try:
            handler = self.known.get(command.name)
            if handler is None:
                raise BadRequest(f"there is no command {command.name!r}")
            self._signatures[command.name].check(command.parameters)
            value = handler(command.reply, **command.parameters)
        except EngineError as error:
            agent.engine.ledger.rollback()
            agent.engine.count(f"refused_{error.code}")
            agent.effect(Failed(command.reply, error))
        else:
            if value is not _NOTHING_YET:
                agent.effect(CommandAnswer(command.reply, value))

    def done(self, reply: CommandReply, effect: Any) -> None:
        """The engine has answered for a command."""
        if isinstance(effect, Failed):
            self._agent.effect(Failed(reply.reply, effect.error))
        else:
            self._agent.effect(CommandAnswer(reply.reply, thaw(reply.change(effect))))

    # -- finding picos ------------------------------------------------------------------------------------

    def find(self, pico: str | None) -> Pico:
        """A pico by DID, by its name if only one has it, or the root for "". Raises UnknownPico."""
        engine = self._agent.engine
        root = engine.pico(engine.root or "")
        if not pico:
            return root
        if pico.startswith("did:"):
            found = engine.loaded_or_stored(pico) or engine.loaded_or_stored(engine.index.get(pico))
            if found is None:
                raise UnknownPico(f"no pico {pico} lives here")
            return found
        named = [did for did, name, *_ in self._walk(root) if name == pico]
        if len(named) != 1:
            count = len(named) or "no"
            raise UnknownPico(
                f"{count} picos are named {pico!r} here", "name it by its DID: picomesh pico ls"
            )
        return engine.pico(named[0])

    def _walk(self, root: Pico) -> list[tuple[str, str, str | None, int, int]]:
        """(DID, name, parent, children, depth) of all picos, each before its children."""
        engine = self._agent.engine
        found: list[tuple[str, str, str | None, int, int]] = []
        stack = [(root.did, 0)]
        while stack and len(found) < LIST_MAX_PICOS:
            did, depth = stack.pop()
            pico = engine.loaded_or_stored(did)
            if pico is None:
                continue
            children = sorted(pico.children.items(), key=lambda row: row[1]["order"], reverse=True)
            found.append((did, pico.name, pico.parent, len(children), depth))
            stack.extend((child, depth + 1) for child, _ in children)
        return found

    def _operate(
        self,
        reply: Any,
        pico: Pico,
        name: str,
        run: Callable[[Pico], Json],
        finish: Callable[[Pico], Json] | None = None,
    ) -> object:
        answer = CommandReply(reply, lambda effect: effect.value)
        message = OperationMessage(pico.did, name, run, finish, answer)
        self._agent.engine.receive(message, self._agent.now)
        return _NOTHING_YET

    @staticmethod
    def _raise(pico: Pico, name: str, attrs: Json) -> None:
        """Raise an event in the operation at hand, as a rule would."""
        turn = pico.turn
        assert turn is not None, "operations are turns"
        domain, kind = split_name(name)
        turn.raise_event(Event(domain, kind, freeze(attrs), turn.eid, turn.now))

    # -- the node -----------------------------------------------------------------------------------------

    def do_status(self, _reply: Any) -> Json:
        agent = self._agent
        return {
            "peer_id": agent.peer_id,
            "addresses": list(agent.addresses),
            "root": agent.engine.root,
            "picos_loaded": agent.engine.loaded_count,
            "sessions": len(agent.sessions),
        }

    def do_logs(self, _reply: Any, pico: str | None = None, most: int = 100) -> Json:
        picos = [self.find(pico)] if pico is not None else self._all()
        entries: list[dict[str, Json]] = []
        for one in picos:
            newest = self._agent.engine.journal_of(one, most)
            entries.extend({"pico": one.did, **entry} for entry in newest)
        entries.sort(key=lambda entry: entry["time"])
        return thaw(entries[-most:])

    def _all(self) -> list[Pico]:
        engine = self._agent.engine
        walked = self._walk(engine.pico(engine.root or ""))
        picos = (engine.loaded_or_stored(did) for did, *_ in walked)
        return [pico for pico in picos if pico is not None]

    def do_traces(self, _reply: Any, pico: str | None = None, most: int = 20) -> Json:
        did = self.find(pico).did if pico is not None else None
        return self._agent.engine.traces.newest(most, did)

    # -- picos --------------------------------------------------------------------------------------------

    def do_pico_new(
        self, reply: Any, name: str, parent: str = "", rulesets: list[str] | None = None
    ) -> object:
        above = self.find(parent)
        wanted = list(rulesets or ())
        for rid in wanted:
            self._agent.engine.registry.get(rid)
        before: set[str] = set()

        def run(pico: Pico) -> None:
            before.update(pico.children.rows)
            self._raise(pico, "wrangler:new_child_request", {"name": name})

        def finish(pico: Pico) -> Json:
            made = [did for did in pico.children.rows if did not in before]
            if not made:
                raise BadRequest("no pico was made", "picomesh trace shows what the wrangler did")
            child = self._agent.engine.pico(made[0])
            row = pico.children.rows[child.did]
            turn = pico.turn
            assert turn is not None, "operations are turns"
            for rid in wanted:
                turn.send(Send(row["eci"], "wrangler", "install_ruleset_request", freeze({"rid": rid})))
            return {"did": child.did, "name": row["name"], "parent": pico.did, "eci": row["eci"]}

        return self._operate(reply, above, "new pico", run, finish)

    def do_pico_list(self, _reply: Any, limit: int = 1_000) -> Json:
        engine = self._agent.engine
        rows = self._walk(engine.pico(engine.root or ""))
        return [
            {"did": did, "name": name, "parent": parent, "children": children, "depth": depth}
            for did, name, parent, children, depth in rows[:limit]
        ]

    def do_pico_show(self, _reply: Any, pico: str = "") -> Json:
        one = self.find(pico)
        agent = self._agent
        view = PicoView(one)
        return thaw(
            {
                "did": one.did,
                "name": one.name,
                "parent": one.parent,
                "children": [{"did": row["did"], "name": row["name"]} for row in view.children],
                "rulesets": [
                    {
                        "rid": row["rid"],
                        "version": row["version"],
                        "config": row["config"],
                        "available": row["meta"] is not None,
                    }
                    for row in view.rulesets
                ],
                "channels": view.channels,
                "connections": [agent.handshake.describe(one, eci, row) for eci, row in connections_of(one)],
                "schedule": agent.engine.schedules.list_of(one, None),
            }
        )

    def do_pico_delete(self, reply: Any, pico: str) -> object:
        one = self.find(pico)
        if one.parent is None:
            raise BadRequest("the root pico cannot be deleted", "delete the node's home directory instead")
        above = self._agent.engine.pico(one.parent)
        row = above.children.get(one.did)

        def run(parent: Pico) -> None:
            self._raise(parent, "wrangler:child_deletion_request", {"eci": row["eci"]})

        def finish(parent: Pico) -> Json:
            turn = parent.turn
            assert turn is not None, "operations are turns"
            if one.did not in turn.deletions:
                raise BadRequest("the pico was not deleted", "picomesh trace shows what the wrangler did")
            return {"deleted": list(turn.deletions)}

        return self._operate(reply, above, "delete pico", run, finish)

    # -- rulesets and channels ----------------------------------------------------------------------------

    def do_ruleset_list(self, _reply: Any, pico: str | None = None) -> Json:
        if pico is None:
            return [definition.meta for definition in self._agent.engine.registry]
        return thaw(
            [
                {**(row["meta"] or {"rid": row["rid"]}), "version": row["version"], "config": row["config"]}
                for row in PicoView(self.find(pico)).rulesets
            ]
        )

    def do_ruleset_install(
        self, reply: Any, pico: str, rid: str = "", url: str = "", config: Mapping[str, Json] | None = None
    ) -> object:
        """By the id of a ruleset in Python, or by the URL of one in KRL, which is fetched anew."""
        one, engine = self.find(pico), self._agent.engine
        if bool(rid) == bool(url):
            raise BadRequest("a ruleset is installed by rid or by url", "give one of them")
        if rid:
            engine.registry.get(rid)
        installed: list[str] = [rid] if rid else []

        def run(it: Pico) -> None:
            if rid:
                attrs = {"rid": rid, "config": dict(config or {})}
                self._raise(it, "wrangler:install_ruleset_request", attrs)
                return
            self._grant(it, url)
            installed.append(engine.installing.flush(it, url).rid)
            engine.installing.install(it, url, config or {})
            attrs = {"rids": installed[:], "url": url, "config": dict(config or {})}
            self._raise(it, "wrangler:ruleset_installed", attrs)

        def finish(it: Pico) -> Json:
            row = it.installed.get(installed[0])
            if row is None:
                raise BadRequest(
                    f"{installed[0]} was not installed", "picomesh trace shows what the wrangler did"
                )
            told = {"pico": it.did, "rid": installed[0], "version": row["version"], "config": row["config"]}
            if "hash" in row:
                text = engine.library.text(row["hash"]) or ""
                warnings: Json = engine.library.warnings(text, row["url"])
                told |= {"url": row["url"], "hash": row["hash"], "warnings": warnings}
            return told

        return self._operate(reply, one, "install ruleset", run, finish)

    def do_ruleset_flush(self, reply: Any, url: str, by_owner: bool = True) -> object:
        """Fetch a URL anew; every pico that uses it takes the new source."""
        engine = self._agent.engine

        def run(it: Pico) -> Json:
            if by_owner:
                self._grant(it, url)
            edition = engine.installing.flush(it, url)
            text = engine.library.text(edition.hash) or ""
            return {**edition.to_json(), "warnings": engine.library.warnings(text, edition.url)}

        return self._operate(reply, self.find(""), "flush ruleset", run)

    def do_compat_setup(self, reply: Any) -> object:
        """Be compatible with the existing engine from now on; answers `{version, eci}` of its page."""
        return self._operate(
            reply, self.find(""), "set up for the existing engine", lambda it: set_up_root(self._agent, it)
        )

    def do_mediation_setup(self, _reply: Any) -> Json:
        """Begin what the node is as a mediator and at its own, now that its URL is known."""
        self._agent.mediating.start()
        self._agent.mediated.start()
        return self.do_mediation(_reply)

    def do_mediation(self, _reply: Any) -> Json:
        """What this node is as a mediator, and at its own."""
        agent = self._agent
        return {
            "mediator": agent.mediating.invitation() if agent.mediating.did else None,
            "mediated_by": agent.mediated.status() if agent.mediated.wanted else None,
        }

    def do_ruleset_urls(self, _reply: Any) -> Json:
        """The URLs that the node has fetched rulesets from."""
        return [edition.to_json() for edition in self._agent.engine.library.editions()]

    @staticmethod
    def _grant(pico: Pico, url: str) -> None:
        """The owner named this URL: it may be a file, or lead where rulesets may not ask."""
        turn = pico.turn
        assert turn is not None, "operations are turns"
        turn.granted |= {check_url(url)}

    def do_ruleset_uninstall(self, reply: Any, pico: str, rid: str) -> object:
        def run(it: Pico) -> Json:
            PicoView(it).uninstall(rid)
            self._raise(it, "wrangler:ruleset_uninstalled", {"rid": rid})
            return {"pico": it.did, "rid": rid}

        return self._operate(reply, self.find(pico), "uninstall ruleset", run)

    def do_channel_list(self, _reply: Any, pico: str = "") -> Json:
        return thaw(PicoView(self.find(pico)).channels)

    def do_channel_new(
        self,
        reply: Any,
        pico: str = "",
        tags: list[str] | None = None,
        event_policy: Json = None,
        query_policy: Json = None,
    ) -> object:
        if event_policy is not None:
            parse_policy(event_policy, query=False)
        if query_policy is not None:
            parse_policy(query_policy, query=True)

        def run(it: Pico) -> Json:
            return PicoView(it).new_channel(tags or (), event_policy, query_policy)

        return self._operate(reply, self.find(pico), "new channel", run)

    def do_channel_delete(self, reply: Any, pico: str, eci: str) -> object:
        def run(it: Pico) -> Json:
            PicoView(it).delete_channel(eci)
            self._raise(it, "wrangler:channel_deleted", {"eci": eci})
            return {"deleted": eci}

        return self._operate(reply, self.find(pico), "delete channel", run)

    # -- events and queries -------------------------------------------------------------------------------

    def do_event(self, reply: Any, target: str, name: str, attrs: Mapping[str, Json] | None = None) -> object:
        domain, kind = split_name(name)
        pico = self.find(target)

        def change(effect: EventAnswer) -> Json:
            return {"eid": effect.eid, "directives": effect.directives}

        answer = CommandReply(reply, change)
        self._agent.engine.receive(
            EventMessage(pico.did, domain, kind, attrs or {}, OWNER, reply=answer), self._agent.now
        )
        return _NOTHING_YET

    def do_query(
        self,
        reply: Any,
        target: str,
        rid: str,
        name: str,
        args: Mapping[str, Json] | None = None,
        pico: str | None = None,
    ) -> object:
        remote = self._connection_of_target(target, pico)
        if remote is not None:
            one, their_did = remote

            def run(it: Pico) -> Json:
                return {"result": self._agent.engine.ask(it, their_did, rid, name, freeze(args or {}))}

            return self._operate(reply, one, "query over a connection", run)

        def change(effect: QueryAnswer | OperationAnswer) -> Json:
            return {"result": effect.value}

        question = QueryMessage(
            self.find(target).did, rid, name, freeze(args or {}), OWNER, reply=CommandReply(reply, change)
        )
        self._agent.engine.receive(question, self._agent.now)
        return _NOTHING_YET

    def _connection_of_target(self, target: str, pico: str | None) -> tuple[Pico, str] | None:
        """The pico and the other side's DID, when `target` names a connection (its id, or the other side)."""
        engine = self._agent.engine
        if engine.index.get(target) is not None or engine.loaded_or_stored(target) is not None:
            return None
        for one in [self.find(pico)] if pico is not None else self._all():
            for _, row in connections_of(one):
                if row["their_did"] and target in (row["their_did"], row["id"]):
                    return one, row["their_did"]
        return None

    # -- connections --------------------------------------------------------------------------------------

    def do_invite(
        self,
        reply: Any,
        pico: str = "",
        name: str = "",
        my_role: str = "",
        their_role: str = "",
        label: str = "",
        expires_s: int = 604_800,
        audience: str = "picomesh",
    ) -> object:
        agent = self._agent
        expires = agent.now + expires_s * 1000

        def run(it: Pico) -> Json:
            if audience != "picomesh":
                return agent.visits.invite(it, name, label, expires, audience)
            return agent.handshake.invite(it, name, (my_role, their_role), label, expires)

        return self._operate(reply, self.find(pico), "invite", run)

    def do_accept(self, reply: Any, url: str, pico: str = "", name: str = "") -> object:
        agent = self._agent
        try:
            visit = agent.visits.read(url)
        except NotFetched as error:
            again = Command("accept", {"url": url, "pico": pico, "name": name}, reply)
            agent.documents.wait(error, lambda: self.run(again))
            return _NOTHING_YET
        if visit is None:
            agent.handshake.read(url)

        def run(it: Pico) -> Json:
            if visit is not None:
                return agent.visits.accept(it, visit, name)
            return agent.handshake.accept(it, url, name)

        return self._operate(reply, self.find(pico), "accept", run)

    def do_connections(self, _reply: Any, pico: str | None = None) -> Json:
        picos = [self.find(pico)] if pico is not None else self._all()
        handshake = self._agent.handshake
        return thaw([handshake.describe(one, eci, row) for one in picos for eci, row in connections_of(one)])

    def do_connection_end(self, reply: Any, pico: str, id: str) -> object:
        one = self.find(pico)
        eci = next((eci for eci, row in connections_of(one) if id in (row["id"], eci)), None)
        if eci is None:
            raise BadRequest(f"pico {one.did} has no connection {id}", "picomesh connections lists them")
        row = one.connections.rows[eci]

        def run(it: Pico) -> Json:
            attrs = {"id": row["id"], "Rx": eci, "Tx": row["their_did"], "reason": "ended by the owner"}
            PicoView(it).delete_channel(eci)
            self._raise(it, "connection:ended", attrs)
            return {"ended": row["id"]}

        return self._operate(reply, one, "end connection", run)
