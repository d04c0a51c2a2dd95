"""The client of a mediator: registers, names its DIDs, fetches what waits. A machine without I/O.

Its owner sends what `Transmit` says, on a lasting connection or as a request that waits for its answer, and
hands in what comes. An envelope that was fetched (`Fetched`) is the owner's; only when it is safe there does
the owner call `received`, and the mediator may drop it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pico_didcomm.did.document import canonical_did
from pico_didcomm.did.resolver import Resolver
from pico_didcomm.did.service import PROFILE, SERVICE_TYPE
from pico_didcomm.encoding import Entropy
from pico_didcomm.errors import SenderMismatch, UnexpectedMessage
from pico_didcomm.mediator.server import MediatorIdentity
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_authcrypt
from pico_didcomm.protocols import coordinate_mediation, pickup
from pico_didcomm.protocols.coordinate_mediation import Page, Update, Updated
from pico_didcomm.protocols.exchange import Exchanges, Settled
from pico_didcomm.protocols.pickup import Delivered, DeliveryRequest, Status
from pico_didcomm.protocols.problem_report import ProblemReport
from pico_didcomm.unpack import Unpacked, unpack

TIMEOUT_MS: Final = 30_000
"""A mediator that does not answer for so long is taken to be gone; the request may be made again."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send an envelope to the mediator."""

    envelope: bytes


@dataclass(frozen=True, slots=True)
class Granted:
    """The mediator serves us; these DIDs are to be named as endpoints (`mediated_service`)."""

    routing_dids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """It does not."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of changes to the registered DIDs."""

    updated: tuple[Updated, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the registered DIDs."""

    page: Page


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at the mediator."""

    status: Status


@dataclass(frozen=True, slots=True)
class Fetched:
    """Envelopes that were fetched or delivered live, to be acknowledged with `received`; () if none waits."""

    messages: tuple[Delivered, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A request was answered with a problem, or not in time (None)."""

    request: Message
    problem: ProblemReport | None


Effect = Transmit | Granted | Denied | Changed | Listed | Waiting | Fetched | Failed


def mediated_service(routing_did: str) -> dict[str, Any]:
    """The service entry of a DID document whose subject is reached through a mediator."""
    return {"type": SERVICE_TYPE, "serviceEndpoint": {"uri": routing_did, "accept": [PROFILE]}}


class MediatorClient:
    """One relationship with one mediator.

    `identity` and `did` are ours in it, `mediator` the mediator's DID, which `resolver` resolves. `state` is
    that of the tables of coordinate mediation, `mode` that of pickup. The owner remembers `state`.
    `invitation` is the id of the mediator's invitation that the request answers: it may be what gets us in.
    """

    def __init__(
        self,
        identity: MediatorIdentity,
        did: str,
        mediator: str,
        resolver: Resolver,
        entropy: Entropy,
        *,
        coordination: coordinate_mediation.Version = coordinate_mediation.V3,
        pickup_version: pickup.Version = pickup.V4,
        timeout_ms: int = TIMEOUT_MS,
        state: str = "unregistered",
        invitation: str | None = None,
    ) -> None:
        self.did = did
        self.mediator = mediator
        self.state = state
        self.mode = "polling"
        self._identity = identity
        self._resolver = resolver
        self._entropy = entropy
        self._coordination = coordination
        self._pickup = pickup_version
        self._timeout_ms = timeout_ms
        self._invitation = invitation
        self._exchanges = Exchanges()
        self._effects: deque[Effect] = deque()
        self._tables = {
            **coordinate_mediation.exchange_tables(coordination),
            **pickup.exchange_tables(pickup_version),
        }
        self._relation, self._modes = (
            next(one for one in tables if one.protocol == protocol and one.role == "recipient")
            for tables, protocol in (
                (coordinate_mediation.TABLES, coordination.protocol),
                (pickup.TABLES, pickup_version.protocol),
            )
        )

    # -- what the owner wants -----------------------------------------------------------------------------

    def register(self, now_ms: int) -> None:
        """Ask to be served; answered by Granted, Denied or Failed."""
        self.state = self._relation.after(self.state, "send mediate-request")
        message = coordinate_mediation.make_mediate_request(
            self._new_id(), self.did, self.mediator, self._coordination
        )
        self._ask(replace(message, pthid=self._invitation), now_ms)

    def update(self, now_ms: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Register DIDs of ours, or take them back; answered by Changed."""
        self.state = self._relation.after(self.state, f"send {self._coordination.update}")
        updates = [Update(canonical_did(did), "add") for did in add]
        updates += [Update(canonical_did(did), "remove") for did in remove]
        message = coordinate_mediation.make_update(
            self._new_id(), self.did, self.mediator, updates, self._coordination
        )
        self._ask(message, now_ms)

    def registered(self, now_ms: int, *, limit: int | None = None, offset: int = 0) -> None:
        """Ask which DIDs are registered; answered by Listed."""
        self.state = self._relation.after(self.state, f"send {self._coordination.query}")
        message = coordinate_mediation.make_query(
            self._new_id(),
            self.did,
            self.mediator,
            limit=limit,
            offset=offset,
            version=self._coordination,
        )
        self._ask(message, now_ms)

    def status(self, now_ms: int, did: str | None = None) -> None:
        """Ask what waits, for one DID of ours or for all; answered by Waiting."""
        self.mode = self._modes.after(self.mode, "send status-request")
        message = pickup.make_status_request(self._new_id(), self.did, self.mediator, did, self._pickup)
        self._ask(message, now_ms)

    def fetch(self, now_ms: int, limit: int, did: str | None = None) -> None:
        """Ask for messages; answered by Fetched, in pickup 3.0 by Waiting when there is none."""
        self.mode = self._modes.after(self.mode, "send delivery-request")
        request = DeliveryRequest(limit, did)
        message = pickup.make_delivery_request(self._new_id(), self.did, self.mediator, request, self._pickup)
        self._ask(message, now_ms)

    def received(self, ids: Sequence[str]) -> None:
        """These messages are safe here: the mediator may drop them."""
        self.mode = self._modes.after(self.mode, "send messages-received")
        self._transmit(
            pickup.make_messages_received(self._new_id(), self.did, self.mediator, ids, self._pickup)
        )

    def live(self, now_ms: int, on: bool) -> None:
        """Ask for messages as they come, or no more so; answered by Waiting, whose status says what holds."""
        self.mode = self._modes.after(self.mode, "send live-delivery-change " + ("on" if on else "off"))
        message = pickup.make_live_delivery_change(self._new_id(), self.did, self.mediator, on, self._pickup)
        self._ask(message, now_ms)

    # -- the machine's face -------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ms: int) -> None:
        """Take an envelope from the mediator. A DidcommError for what is not from it, or cannot be read."""
        unpacked = unpack(data, self._identity, self._resolver.at(now_ms), now_ms)
        if unpacked.sender != canonical_did(self.mediator) or not unpacked.encrypted:
            raise SenderMismatch("a message that does not prove to be from the mediator")
        if self._exchanges.receive(unpacked, now_ms):
            self._settle()
        else:
            self._unasked(unpacked)

    def disconnected(self) -> None:
        """The connection is gone, and live mode with it."""
        self.mode = self._modes.after(self.mode, "disconnect")

    def next_timer(self) -> int | None:
        """When `handle_timer` is wanted."""
        return self._exchanges.next_timer()

    def handle_timer(self, now_ms: int) -> None:
        """Give up requests that were not answered."""
        self._exchanges.handle_timer(now_ms)
        self._settle()

    def next_effect(self) -> Effect | None:
        """What is to be done next."""
        return self._effects.popleft() if self._effects else None

    # -- answers ------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        while (settled := self._exchanges.next_effect()) is not None:
            if settled.answer is None:
                self._failed(settled)
            else:
                self._answered(settled.answer.message)

    def _failed(self, settled: Settled) -> None:
        if settled.request.type == self._coordination.request_type:
            self.state = self._relation.after(self.state, "fail")
        if settled.request.type == self._pickup.type_of("live-delivery-change") and self.mode == "starting":
            self.mode = self._modes.after(self.mode, "fail")
        self._effects.append(Failed(settled.request, settled.problem))

    def _answered(self, message: Message) -> None:
        name = message.type.rpartition("/")[2]
        if message.type in self._coordination.types:
            self.state = self._relation.after(self.state, f"receive {name}")
        if message.type == self._coordination.grant_type:
            self._effects.append(Granted(coordinate_mediation.parse_grant(message)))
        elif message.type == self._coordination.deny_type:
            self._effects.append(Denied())
        elif message.type == self._coordination.update_response_type:
            self._effects.append(Changed(coordinate_mediation.parse_update_response(message)))
        elif message.type == self._coordination.list_type:
            self._effects.append(Listed(coordinate_mediation.parse_list(message)))
        elif name == "status":
            self._waiting(message)
        else:
            self._fetched(message)

    def _unasked(self, unpacked: Unpacked) -> None:
        """What comes live, and the status that 3.0 sends after an acknowledgement."""
        message = unpacked.message
        if message.type == self._pickup.type_of("delivery"):
            self._fetched(message)
        elif message.type == self._pickup.type_of("status"):
            self._waiting(message)
        else:
            raise UnexpectedMessage(f"{message.type[:128]} from the mediator, which nobody asked for")

    def _fetched(self, message: Message) -> None:
        messages = pickup.parse_delivery(message)
        self.mode = self._modes.after(self.mode, "receive delivery")
        self._effects.append(Fetched(messages))

    def _waiting(self, message: Message) -> None:
        status = pickup.parse_status(message)
        happening = "receive status"
        if self.mode == "starting" and status.live_delivery is not None:
            happening += " that is live" if status.live_delivery else " that is not live"
        self.mode = self._modes.after(self.mode, happening)
        self._effects.append(Waiting(status))

    # -- sending ------------------------------------------------------------------------------------------

    def _ask(self, message: Message, now_ms: int) -> None:
        self._exchanges.begin(self._tables[message.type], message, now_ms, self._timeout_ms)
        self._transmit(message)

    def _transmit(self, message: Message) -> None:
        document = self._resolver.resolve(self.mediator)
        self._effects.append(Transmit(pack_authcrypt(message, self._identity, document, self._entropy)))

    def _new_id(self) -> str:
        return self._entropy(16).hex()


__all__ = [
    "Changed",
    "Denied",
    "Effect",
    "Failed",
    "Fetched",
    "Granted",
    "Listed",
    "MediatorClient",
    "Transmit",
    "Waiting",
    "mediated_service",
]
