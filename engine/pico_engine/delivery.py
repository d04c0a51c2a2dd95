"""Where the events go that a turn has sent: to picos here, to the agent, or back as undeliverable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pico_engine.admission import weight_of
from pico_engine.errors import EngineError, UnknownChannel
from pico_engine.messages import LOCAL_DOOR, SYSTEM_DOOR, EventMessage
from pico_engine.queue import enqueue_row
from pico_engine.turn import Post, Send, Turn
from pico_engine.values import freeze
from pico_engine.waiting import seen_sender

if TYPE_CHECKING:
    from pico_engine.engine import Engine
    from pico_engine.pico import Pico


class Delivery:
    """Hands over what turns have sent. All of it happens in the commit of the turn."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def deliver(self, turn: Turn, send: Send) -> None:
        """Hand an event over, in the commit of the turn that sent it."""
        engine = self._engine
        if type(send) is Post:
            engine.waiting.post(turn.pico, send)
            return
        event = EventMessage(
            send.eci,
            send.domain,
            send.type,
            send.attrs,
            door=LOCAL_DOOR,
            sender=turn.pico.did,
            eid=turn.eid,
            hops=turn.hops + 1,
        )
        try:
            engine.admission.check_event(event)
            if engine.index.get(send.eci) is None:
                if engine.port.send_event(turn.pico, event):
                    return
                raise UnknownChannel(f"{send.eci} is no channel here, and of no connection of this pico")
            target = engine.admission.door(event)
            engine.admission.check_room(target, event.weight)
        except EngineError as error:
            self.undeliverable(turn.pico, send, error)
        else:
            event.sender = seen_sender(target.channels.rows[send.eci], turn.pico.did)
            self._put_into_queue(target, event)

    def _put_into_queue(self, pico: Pico, event: EventMessage) -> None:
        enqueue_row(pico, event)
        self._engine.queue_changed.add(pico)
        self._engine.enqueue(pico, event)

    def undeliverable(self, pico: Pico, send: Send, error: EngineError) -> None:
        """Tell a pico that an event it sent will never arrive. Inside a turn of it."""
        engine = self._engine
        engine.count("events_undeliverable")
        name = f"{send.domain}:{send.type}"
        engine.log(pico, "warning", send.rid, f"{name} could not be delivered: {error}", engine.now)
        attrs = {
            "eci": send.eci,
            "domain": send.domain,
            "type": send.type,
            "attrs": send.attrs,
            "code": error.code,
            "what": error.what,
        }
        hops = pico.turn.hops + 1 if pico.turn is not None else 0
        if name != "event:undeliverable" and hops <= engine.limits.hops_max:
            try:
                frozen = freeze(attrs)
            except EngineError:  # attributes as deep as they may be are a level too deep within others
                flat = {key: one for key, one in send.attrs.items() if not isinstance(one, list | dict)}
                frozen = freeze({**attrs, "attrs": flat})
            told = EventMessage(pico.did, "event", "undeliverable", frozen, door=SYSTEM_DOOR)
            told.eid, told.hops, told.weight = engine.new_eid(), hops, weight_of(frozen)
            try:
                engine.admission.check_room(pico, told.weight)
            except EngineError:  # nobody hears of it but the log
                return
            self._put_into_queue(pico, told)
