"""Queries to picos at other nodes: asked again until the answer comes or the asking turn gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pico_didcomm.protocols.events import Answer, Query, make_query
from pico_engine.errors import Busy, EngineError, UnknownChannel
from pico_engine.messages import RemoteQuery, WaitAnswer
from pico_engine.values import thaw
from pico_node.agent.carriable import check_carriable
from pico_node.agent.errors import PeerUnreachable, RemoteError
from pico_node.agent.frames import DATA
from pico_node.agent.rows import connection_to, is_foreign

if TYPE_CHECKING:
    from pico_node.agent.agent import Agent


@dataclass(slots=True)
class _Question:
    wait: int
    eci: str
    peer_id: str
    envelope: bytes
    ask_again_ms: int
    gives_up_ms: int


class Questions:
    """The queries of an agent that wait for an answer from elsewhere. They are held in memory only."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._open: dict[str, _Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, query: RemoteQuery) -> None:
        """Send a query; its answer goes to the turn that waits."""
        agent = self._agent
        pico = agent.engine.loaded_or_stored(query.pico)
        eci = connection_to(pico, query.eci) if pico is not None else None
        if pico is not None and eci is not None and is_foreign(pico, eci):
            agent.foreign_post.ask(pico, eci, query)
            return
        lane = agent.lanes.find(eci) if eci is not None else None
        if eci is None or lane is None:
            self._give_up(query.wait, UnknownChannel(f"pico {query.pico} has no connection to {query.eci}"))
            return
        try:
            check_carriable(query.args, "arguments of a query", agent.engine.limits.attributes_max_bytes)
        except EngineError as error:
            self._give_up(query.wait, error)
            return
        if len(self._open) >= agent.limits.queries_max:
            self._give_up(query.wait, Busy(f"{len(self._open)} queries to other nodes wait (queries_max)"))
            return
        message_id = agent.entropy(16).hex()
        message = make_query(message_id, eci, lane.their_did, Query(query.rid, query.name, thaw(query.args)))
        question = _Question(
            query.wait,
            eci,
            lane.peer_id,
            DATA + lane.pair.pack(message, agent.entropy),
            agent.now + agent.limits.query_retry_ms,
            agent.now + agent.engine.limits.wait_max_ms,
        )
        self._open[message_id] = question
        self._send(question)

    def _send(self, question: _Question) -> None:
        if question.peer_id in self._agent.sessions:
            self._agent.send(question.peer_id, [question.envelope])
        else:
            self._agent.want_session(question.peer_id)

    def _give_up(self, wait: int, error: EngineError) -> None:
        self._agent.engine.receive(WaitAnswer(wait, error=error), self._agent.now)

    def answered(self, eci: str, answer: Answer) -> None:
        """An answer came in on our channel `eci`; one to a question that was not asked there is ignored."""
        question = self._open.get(answer.thid)
        if question is None or question.eci != eci:
            return
        del self._open[answer.thid]
        if answer.error is None:
            self._agent.engine.receive(WaitAnswer(question.wait, answer.result), self._agent.now)
        else:
            error = answer.error
            told = RemoteError(f"{error.what} (the other side says {error.code})", error.hint, error.code)
            self._give_up(question.wait, told)

    def session_up(self, peer_id: str) -> None:
        for question in self._open.values():
            if question.peer_id == peer_id:
                self._send(question)

    def next_timer(self) -> int | None:
        return min((question.ask_again_ms for question in self._open.values()), default=None)

    def handle_timer(self, now: int) -> None:
        for message_id, question in list(self._open.items()):
            if now >= question.gives_up_ms:
                del self._open[message_id]
                if question.peer_id not in self._agent.sessions:
                    error = PeerUnreachable(f"node {question.peer_id} is not connected")
                    self._give_up(question.wait, error)
            elif now >= question.ask_again_ms:
                question.ask_again_ms = now + self._agent.limits.query_retry_ms
                self._send(question)
