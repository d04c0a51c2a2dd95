"""Acknowledgements: which ids a message asks for, and how they are answered without going in circles.

`please_ack` asks, `ack` answers (DIDComm v2.1, "ACKs"). Asking obliges nobody. Mediators neither ask in
forwards nor answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pico_didcomm.errors import LimitExceeded
from pico_didcomm.message import ACKS_MAX, Message, same_id
from pico_didcomm.protocols.empty import EMPTY_TYPE, is_pure_ack


def empty_message(
    message_id: str, from_did: str, to_did: str, *, thid: str | None = None, pthid: str | None = None
) -> Message:
    """An empty message, to be given headers."""
    return Message(message_id, EMPTY_TYPE, {}, from_did, (to_did,), thid, pthid)


def asked_acks(message: Message) -> tuple[str, ...]:
    """The ids that a message asks to be acknowledged, its own in place of the empty text, each once.

    A pure acknowledgement is never acknowledged, so that two sides cannot answer each other for ever.
    """
    if message.please_ack is None or is_pure_ack(message):
        return ()
    ids: list[str] = []
    for asked in (*message.please_ack, message.id):  # any answer acknowledges the asking message too
        name = asked or message.id
        if not any(same_id(name, known) for known in ids):
            ids.append(name)
    return tuple(ids)


def with_acks(answer: Message, received: Iterable[str]) -> Message:
    """`answer`, which also acknowledges the ids in `received`, given in the order in which they came."""
    ids: list[str] = []
    for name in received:
        if not any(same_id(name, known) for known in ids):
            ids.append(name)
    if len(ids) > ACKS_MAX:
        raise LimitExceeded(f"more than {ACKS_MAX} ids in ack", "acknowledge them in several messages")
    return replace(answer, ack=tuple(ids)) if ids else answer


def pure_ack(message: Message, received: Iterable[str], message_id: str, from_did: str) -> Message | None:
    """The empty message that honours what `message` asks, None if it asks nothing or nobody would hear it.

    Of the ids that it asks for, those in `received` are acknowledged, in that order: the ones that have
    arrived, from the oldest to `message` itself.
    """
    asked = asked_acks(message)
    known = [name for name in received if any(same_id(name, one) for one in asked)]
    if not known or message.from_ is None:
        return None
    return with_acks(empty_message(message_id, from_did, message.from_, thid=message.thread), known)


def acknowledges(message: Message, message_id: str) -> bool:
    """Whether `message` says that `message_id` was received."""
    return any(same_id(name, message_id) for name in message.ack or ())
