"""What may pass on the channels that come with every pico, and on those to other people's picos."""

from __future__ import annotations

from typing import Final

from pico_engine.channels import Policy

WELL_KNOWN_EVENTS: Final = Policy(
    allow=(
        ("wrangler", "subscription"),
        ("wrangler", "new_subscription_request"),
        ("wrangler", "inbound_removal"),
    )
)
"""On the channel on which anyone may ask for a subscription; the same as the existing engine's."""
WELL_KNOWN_QUERIES: Final = Policy(allow=(("io.picolabs.subscription", "wellKnown_Rx"),))

PEER_EVENTS: Final = Policy(
    allow=(("*", "*"),),
    deny=(("wrangler", "*"), ("connection", "*"), ("engine", "*"), ("event", "*"), ("system", "*")),
)
"""For connections with picos of other people: their events reach the rulesets that are meant for them, not
those with which the owner manages the pico."""
PEER_QUERIES: Final = Policy(
    allow=(("*", "*"),), deny=(("io.picolabs.wrangler", "*"), ("io.picolabs.subscription", "*"))
)
"""Likewise: who may list a pico's channels learns ECIs that open them."""
