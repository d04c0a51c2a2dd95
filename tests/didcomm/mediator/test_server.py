"""The mediator: whom it serves, what it keeps, what it answers, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pico_didcomm.encoding import json_bytes
from pico_didcomm.errors import (
    BadEnvelope,
    LimitExceeded,
    NoRoute,
    NotSigned,
    UnexpectedMessage,
)
from pico_didcomm.identity import make_channel_identity
from pico_didcomm.mediator.client import Changed, Denied, Failed, Fetched, Granted, Listed, Waiting
from pico_didcomm.mediator.mailboxes import MediatorLimits
from pico_didcomm.mediator.server import FEATURES
from pico_didcomm.message import Message
from pico_didcomm.pack import pack_anoncrypt, pack_authcrypt
from pico_didcomm.protocols import coordinate_mediation, pickup
from pico_didcomm.protocols.coordinate_mediation import Page, Updated
from pico_didcomm.protocols.problem_report import PROBLEM_REPORT_TYPE, parse_problem_report
from pico_didcomm.protocols.return_route import ALL
from pico_didcomm.protocols.routing import ENCRYPTED_TYPE, Forward, make_forward
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_didcomm.unpack import unpack
from tests.didcomm.helpers import NOW_MS
from tests.didcomm.mediator.helpers import PAIRS, Client, World

versions = pytest.mark.parametrize(("coordination", "pick"), PAIRS, ids=["2.0 and 3.0", "3.0 and 4.0"])


def everything(world: World, coordination: Any, pick: Any) -> tuple[Client, Any]:
    bob = world.behind("bob")
    client = world.client("phone", coordination=coordination, pickup_version=pick)
    return client.registered(bob.did), bob


@versions
def test_from_registration_to_an_empty_mailbox(coordination: Any, pick: Any) -> None:
    world = World()
    bob = world.behind("bob")
    client = world.client("phone", coordination=coordination, pickup_version=pick)
    client.machine.register(world.now)
    assert client.run() == [Granted((world.identity.did,))]
    client.machine.update(world.now, add=[bob.long_did, bob.did], remove=["did:example:x"])
    assert client.run() == [
        Changed(
            (
                Updated(bob.did, "add", "success"),
                Updated(bob.did, "add", "no_change"),
                Updated("did:example:x", "remove", "no_change"),
            )
        )
    ]
    client.machine.registered(world.now, limit=5)
    assert client.run() == [Listed(Page((bob.did,), 0, 0))]

    assert world.send(bob, "one") == []
    world.now += 5_000
    assert world.send(bob, "two") == []
    assert [one.message.did for one in world.arrived] == [bob.did, bob.did]
    client.machine.status(world.now)
    (waiting,) = client.run()
    assert isinstance(waiting, Waiting)
    assert (waiting.status.message_count, waiting.status.live_delivery) == (2, False)
    assert waiting.status.newest_ms - waiting.status.oldest_ms == 5_000

    client.machine.fetch(world.now, 10, bob.did)
    (fetched,) = client.run()
    opened = [unpack(one.envelope, bob, world.resolver, world.now).message.id for one in fetched.messages]
    assert opened == ["one", "two"]
    client.machine.fetch(world.now, 1)  # what was not acknowledged is still there
    assert client.run()[0].messages == fetched.messages[:1]

    client.machine.received([one.id for one in fetched.messages])
    after = client.run()
    if pick is pickup.V3:
        assert isinstance(after[0], Waiting)
        assert after[0].status.message_count == 0
    else:
        assert after == []
    client.machine.fetch(world.now, 10)
    (last,) = client.run()
    if pick is pickup.V3:
        assert isinstance(last, Waiting)
    else:
        assert last == Fetched(())
    assert world.refused == []
    assert world.posted == []


@versions
def test_live_mode(coordination: Any, pick: Any) -> None:
    world = World()
    client, bob = everything(world, coordination, pick)
    client.connect()
    world.send(bob, "before")
    client.machine.live(world.now, True)
    (waiting,) = client.run()
    assert (waiting.status.live_delivery, client.machine.mode) == (True, "live")
    # what waited is not affected: it has to be fetched
    (fetched,) = client.hear(world.send(bob, "now"))
    assert isinstance(fetched, Fetched)
    assert unpack(fetched.messages[0].envelope, bob, world.resolver, world.now).message.id == "now"
    client.machine.status(world.now)
    assert client.run()[0].status.message_count == 2  # not acknowledged: still kept
    client.machine.received([fetched.messages[0].id])
    client.run()
    client.machine.status(world.now)
    assert client.run()[0].status.message_count == 1

    client.machine.live(world.now, False)
    (waiting,) = client.run()
    assert (waiting.status.live_delivery, client.machine.mode) == (False, "polling")
    assert world.send(bob) == []


def test_a_broken_connection_ends_live_mode_and_loses_nothing() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    client.connect()
    client.machine.live(world.now, True)
    client.run()
    assert len(world.send(bob, "lost-on-the-way")) == 1
    client.disconnect()
    assert client.machine.mode == "polling"
    assert world.send(bob, "later") == []
    client.connect()
    client.machine.fetch(world.now, 10)
    (fetched,) = client.run()
    assert [unpack(m.envelope, bob, world.resolver, world.now).message.id for m in fetched.messages] == [
        "lost-on-the-way",
        "later",
    ]
    assert world.send(bob) == []  # a new connection begins without live mode


def test_the_connection_that_went_live_last_is_used() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    first = client.connect()
    client.machine.live(world.now, True)
    client.run()
    other = Client(world, "phone", {})
    other.machine.state = "granted"
    second = other.connect()
    other.machine.live(world.now, True)
    other.run()
    assert [one.session for one in world.send(bob)] == [second]
    other.disconnect()
    assert [one.session for one in world.send(bob)] == [first]


def test_live_mode_needs_a_lasting_connection() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    client.machine.live(world.now, True)
    (failed,) = client.run()
    assert isinstance(failed, Failed)
    assert failed.problem is not None
    assert failed.problem.code == "e.m.live-mode-not-supported"
    assert client.machine.mode == "polling"
    assert world.send(bob) == []


def test_who_is_not_admitted_is_denied() -> None:
    admitted: set[str] = set()
    world = World(admits=lambda client, _: client in admitted)
    bob, client = world.behind("bob"), world.client("phone")
    client.machine.register(world.now)
    assert client.run() == [Denied()]
    world.send(bob)
    assert isinstance(world.refused[0].error, NoRoute)
    admitted.add(client.identity.did)
    client.machine.register(world.now)
    assert client.run() == [Granted((world.identity.did,))]
    admitted.clear()  # who is served stays so until revoked
    client.machine.register(world.now)
    assert client.run() == [Granted((world.identity.did,))]
    world.mediator.revoke(client.identity.long_did)
    client.machine.register(world.now)
    assert client.run() == [Denied()]


def test_an_invitation_may_be_what_admits() -> None:
    asked: list[tuple[str, str | None]] = []
    world = World(admits=lambda *who: bool(asked.append(who)) or who[1] == "i-1")
    for invitation, answer in ((None, Denied()), ("i-2", Denied()), ("i-1", Granted((world.identity.did,)))):
        client = world.client("phone", invitation=invitation)
        client.machine.register(world.now)
        assert client.run() == [answer]
    assert asked == [(client.identity.did, one) for one in (None, "i-2", "i-1")]


def test_strangers_get_nothing() -> None:
    world = World()
    everything(world, *PAIRS[1])
    stranger = world.client("stranger")
    stranger.machine.state = "granted"
    stranger.machine.status(world.now)
    (failed,) = stranger.run()
    assert failed.problem is not None
    assert failed.problem.code == UnexpectedMessage.problem_code
    stranger.machine.update(world.now, add=["did:example:x"])
    assert stranger.run() == [Changed((Updated("did:example:x", "add", "client_error"),))]
    stranger.machine.registered(world.now)
    assert stranger.run() == [Listed(Page(()))]


def test_one_client_sees_nothing_of_another() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    world.send(bob, "secret")
    other = world.client("other").registered()
    other.machine.fetch(world.now, 10, bob.did)
    assert other.run() == [Fetched(())]
    other.machine.update(world.now, add=[bob.did], remove=[bob.did])
    assert [one.result for one in other.run()[0].updated] == ["client_error", "client_error"]
    other.machine.received([world.arrived[0].message.id])
    other.run()
    client.machine.status(world.now)
    assert client.run()[0].status.message_count == 1


def test_a_restart_loses_nothing() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    world.send(bob, "kept")
    world.mediator = world.new_mediator()
    client.machine.did = client.identity.did  # by its short form, which the mediator has to remember
    client.machine.fetch(world.now, 10)
    (fetched,) = client.run()
    assert len(fetched.messages) == 1


def test_messages_expire() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    world.send(bob, expires_time=NOW_MS // 1000 + 10)
    assert world.mediator.next_timer() == NOW_MS // 1000 * 1000 + 10_000
    world.mediator.handle_timer(NOW_MS + 10_000)
    assert world.mediator.next_timer() is None
    client.machine.fetch(world.now, 10)
    assert client.run() == [Fetched(())]


def test_without_a_return_route_answers_go_to_the_clients_own_endpoint() -> None:
    world = World()
    client, _ = everything(world, *PAIRS[1])
    document = world.resolver.resolve(world.identity.did)
    ping = make_ping("p", client.identity.did, world.identity.did)
    assert world.take(pack_authcrypt(ping, client.identity, document, world.entropy), 77) == []
    (post,) = world.posted
    assert post.did == client.identity.did
    answer = unpack(post.envelope, client.identity, world.resolver, world.now)
    assert (answer.message.type, answer.sender) == (PING_RESPONSE_TYPE, world.identity.did)


def test_on_a_lasting_connection_the_return_route_is_said_once() -> None:
    world = World()
    client, _ = everything(world, *PAIRS[1])
    session = client.connect()
    document = world.resolver.resolve(world.identity.did)
    ping = make_ping("p", client.identity.did, world.identity.did)
    for message in (replace(ping, extra=ALL.headers()), replace(ping, id="q")):
        envelope = pack_authcrypt(message, client.identity, document, world.entropy)
        assert [one.session for one in world.take(envelope, session)] == [session]


def take_plain(world: World, data: bytes) -> Any:
    assert world.take(data, 5) == []
    return world.refused[-1].error


def test_what_is_refused() -> None:
    world = World()
    client, bob = everything(world, *PAIRS[1])
    document = world.resolver.resolve(world.identity.did)
    ids = count()

    def sealed(message: Message) -> bytes:
        return pack_anoncrypt(message, document, world.entropy)

    payload = pack_anoncrypt(Message("m", "https://example.org/a/1.0/b"), document, world.entropy)
    forward = make_forward(f"f-{next(ids)}", world.identity.did, Forward(bob.did, (payload,)))
    assert isinstance(take_plain(world, forward.to_bytes()), BadEnvelope)
    anonymous = replace(make_ping("p", client.identity.did, world.identity.did), from_=None)
    assert isinstance(take_plain(world, sealed(anonymous)), NotSigned)
    nowhere = make_forward("f", world.identity.did, Forward("did:example:nobody", (payload,)))
    assert isinstance(take_plain(world, sealed(nowhere)), NoRoute)
    assert take_plain(world, b"nonsense").code
    assert world.posted == []


def test_a_forward_is_not_acknowledged() -> None:
    world = World()
    _, bob = everything(world, *PAIRS[1])
    document = world.resolver.resolve(world.identity.did)
    payload = pack_anoncrypt(Message("m", "https://example.org/a/1.0/b"), document, world.entropy)
    forward = make_forward("f", world.identity.did, Forward(bob.did, (payload,)))
    asking = replace(forward, from_=bob.did, please_ack=("",), extra=ALL.headers())
    data = pack_authcrypt(replace(asking, from_=bob.long_did), bob, document, world.entropy)
    assert world.take(data, 5) == []
    assert (len(world.arrived), world.posted, world.refused) == (1, [], [])


def test_a_broken_request_is_answered_with_a_problem() -> None:
    world = World()
    client, _ = everything(world, *PAIRS[1])
    document = world.resolver.resolve(world.identity.did)
    for type_ in (
        coordinate_mediation.V3.update_type,
        pickup.V4.type_of("delivery-request"),
        pickup.V4.type_of("status"),
        "https://example.org/a/1.0/b",
    ):
        message = Message(
            f"x-{len(type_)}",
            type_,
            from_=client.identity.did,
            to=(world.identity.did,),
            extra=ALL.headers(),
        )
        (sent,) = world.take(pack_authcrypt(message, client.identity, document, world.entropy), 5)
        answer = unpack(sent.envelope, client.identity, world.resolver, world.now).message
        assert answer.type == PROBLEM_REPORT_TYPE
        assert parse_problem_report(answer).pthid == message.id


def test_sessions_have_a_limit() -> None:
    world = World(limits=MediatorLimits(sessions_max=1))
    world.mediator.opened(1)
    with pytest.raises(LimitExceeded):
        world.mediator.opened(2)
    world.mediator.closed(1)
    world.mediator.closed(1)
    world.mediator.opened(2)


def test_a_full_mailbox_refuses() -> None:
    world = World(limits=MediatorLimits(messages_per_client_max=1))
    _, bob = everything(world, *PAIRS[1])
    world.send(bob)
    world.send(bob)
    assert isinstance(world.refused[-1].error, LimitExceeded)


def test_it_says_what_it_is() -> None:
    told = {feature.id: feature.roles for feature in FEATURES if feature.feature_type == "protocol"}
    for version in (*coordinate_mediation.VERSIONS, *pickup.VERSIONS):
        assert told[version.protocol] == ("mediator",)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_message_of_a_client_brings_it_down(data: st.DataObject) -> None:
    world = WORLD
    client = world.client("phone").registered()
    types = [
        *(type_ for version in coordinate_mediation.VERSIONS for type_ in version.types),
        *(version.type_of(name) for version in pickup.VERSIONS for name in pickup.NAMES),
        "https://didcomm.org/routing/2.0/forward",
    ]
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["add", "did:example:x", ""]),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["updates", "recipient_did", "action", "limit", "offset", "paginate"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    )
    body = data.draw(
        st.dictionaries(
            st.sampled_from(["updates", "paginate", "limit", "message_id_list", "live_delivery", "next"]),
            values,
            max_size=4,
        )
    )
    attachments = [{"data": {"base64": "e30"}, "media_type": ENCRYPTED_TYPE}] * data.draw(st.integers(0, 2))
    raw = {
        "id": "x",
        "type": data.draw(st.sampled_from(types)),
        "from": client.identity.did,
        "to": [world.identity.did],
        "body": body,
        "attachments": attachments,
    }
    message = Message.from_bytes(json_bytes(raw))
    document = world.resolver.resolve(world.identity.did)
    world.take(pack_authcrypt(message, client.identity, document, world.entropy), 5)


WORLD = World()


def test_the_identity_of_a_pair_is_enough() -> None:
    identity = make_channel_identity(World().entropy)
    assert identity.find(identity.did + "#key-2") is not None
