"""Subscriptions with picos of the existing engine (`Tx_host`), step by step as that engine does them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pico_engine.harness import Bench
from pico_engine.messages import HTTP_DOOR
from pico_engine.port import Port
from pico_engine.turn import Post
from pico_rulesets.subscription import Subscription
from pico_rulesets.wrangler import PICO_RULESETS, SUBSCRIPTION, Wrangler

THERE = "http://old.example:3000"
HERE = "http://127.0.0.1:4200"


class Elsewhere(Port):
    """Notes what is sent to other engines."""

    base_url = HERE

    def __init__(self) -> None:
        self.posts: list[Post] = []

    def can_call(self, pico: Any) -> bool:
        return True

    def take_post(self, pico: Any, post: Post) -> bool:
        self.posts.append(post)
        return True

    def sent(self) -> tuple[str, Any]:
        """Where the newest went, behind the host, and its attributes."""
        post = self.posts.pop()
        assert post.url.startswith(THERE)
        return post.url.removeprefix(THERE), json.loads(post.body or "")


@pytest.fixture
def port() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def bench(port: Elsewhere) -> Bench:
    bench = Bench(Wrangler, Subscription, root_rulesets=PICO_RULESETS)
    bench.engine.port = port
    return bench


def ask(bench: Bench, name: str) -> Any:
    return bench.query(bench.root, SUBSCRIPTION, name)


def say(bench: Bench, name: str, eci: str = "", /, **attrs: Any) -> None:
    bench.event(eci or bench.root, f"wrangler:{name}", attrs, **({"door": HTTP_DOOR} if eci else {}))


def test_we_ask_and_they_approve(bench: Bench, port: Elsewhere) -> None:
    say(bench, "subscription", wellKnown_Tx="cwell", Tx_host=THERE, name="x", Rx_role="a", Tx_role="b")
    (mine,) = ask(bench, "outbound")
    where, attrs = port.sent()
    assert where == "/c/cwell/event/wrangler/new_subscription_request"
    assert (attrs["Tx"], attrs["Tx_host"], attrs["Id"]) == (mine["Rx"], HERE, mine["Id"])
    assert (attrs["Rx_role"], attrs["Tx_role"]) == ("b", "a")
    say(bench, "outbound_pending_subscription_approved", mine["Rx"], Id=mine["Id"], Tx="cother")
    (bus,) = ask(bench, "established")
    assert (bus["Tx"], bus["Tx_host"], bus["Rx"]) == ("cother", THERE, mine["Rx"])
    say(bench, "send_event_on_subs", subID=bus["Id"], domain="shop", type="order", attrs={"n": 1})
    assert port.sent() == ("/c/cother/event/shop/order", {"n": 1})
    say(bench, "subscription_cancellation", Id=bus["Id"])
    where, attrs = port.sent()
    assert where == "/c/cother/event/wrangler/established_removal"
    assert attrs["Id"] == bus["Id"]
    assert ask(bench, "established") == []


def test_they_ask_and_we_approve(bench: Bench, port: Elsewhere) -> None:
    well_known = ask(bench, "wellKnown_Rx")["id"]
    request = {
        "Id": "c1",
        "Tx": "ctheirs",
        "Tx_host": THERE,
        "channel_name": "y",
        "Rx_role": "a",
        "Tx_role": "b",
    }
    say(bench, "new_subscription_request", well_known, **request)
    (mine,) = ask(bench, "inbound")
    assert mine["Tx_host"] == THERE
    say(bench, "pending_subscription_approval", Id="c1")
    where, attrs = port.sent()
    assert where == "/c/ctheirs/event/wrangler/outbound_pending_subscription_approved"
    assert (attrs["Id"], attrs["Tx"]) == ("c1", mine["Rx"])
    (bus,) = ask(bench, "established")
    say(bench, "established_removal", bus["Rx"], Id="c1")
    assert ask(bench, "established") == []


def test_they_take_their_request_back_or_we_refuse_it(bench: Bench, port: Elsewhere) -> None:
    well_known = ask(bench, "wellKnown_Rx")["id"]
    for number in ("1", "2"):
        say(bench, "new_subscription_request", well_known, Id=number, Tx=f"c{number}", Tx_host=THERE)
    say(bench, "inbound_removal", well_known, Id="1", Tx="c1")
    say(bench, "inbound_rejection", Id="2")
    assert port.sent()[0] == "/c/c2/event/wrangler/outbound_removal"
    assert ask(bench, "inbound") == []


def test_this_node_itself_is_no_other_engine(bench: Bench, port: Elsewhere) -> None:
    say(bench, "subscription", wellKnown_Tx="did:example:x", Tx_host=HERE + "/", name="x")
    assert port.posts == []
