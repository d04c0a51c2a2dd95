"""io.picolabs.did-o: connections by invitation, as rulesets and clients of the existing engine ask for them.

There it does DIDComm itself; here the node does, and this ruleset is a door to it. `generate_invitation` is a
query that makes something, which queries cannot do here: an invitation is kept ready for it, and a new one is
made when it was used.
"""

from __future__ import annotations

from typing import Any, Final

from pico_engine import EngineError, Event, Ruleset, ent, provides, query, rule, when
from pico_engine.errors import BadRequest
from pico_engine.routes import keep_route, routes_of
from pico_engine.values import Json
from pico_rulesets.attributes import handed_on, required_text

DID_O: Final = "io.picolabs.did-o"
_NODE_DOES_IT: Final = "the node packs, routes and keeps keys itself; send to the connection with event:send"


class DidO(Ruleset, rid=DID_O, version="1.0.0", author="picomesh"):
    """Keeps an invitation ready, accepts those of others, and knows the DIDs at both ends of connections."""

    ready: dict[str, Any] | None = ent()
    """The open invitation `{id, url, eci, expires}`; `expires` in milliseconds."""

    # -- queries ------------------------------------------------------------------------------------------

    @provides
    @query
    def generate_invitation(self, label: Json = None) -> str:
        """The URL of an invitation that is good once. `dido:new_invitation` says what its label is."""
        del label
        if self.ready is None or self.ready["expires"] <= self.now:
            raise BadRequest("there is no open invitation", "raise dido:new_invitation, and ask again")
        return str(self.ready["url"])

    @provides
    @query
    def didMap(self) -> dict[str, str]:  # noqa: N802 - names of the existing engine
        """Our DID by theirs, for each established connection."""
        return self._pico.engine.port.partners(self._pico)

    @provides
    @query
    def pendingRotations(self) -> dict[str, Json]:  # noqa: N802
        """Always empty: the node changes DIDs by itself."""
        return {}

    @provides
    @query
    def routes(self) -> dict[str, Json]:
        """`{type: {domain, name}}` of what `addRoute` was told."""
        return dict(routes_of(self._pico, DID_O))

    @provides
    @query
    def didDocs(self) -> Json:  # noqa: N802
        raise _not_here("didDocs")

    @provides
    @query
    def addRoute(self, type: Json = None, _domain: Json = None, name: Json = None) -> Json:  # noqa: N802
        """For rulesets, since a query writes nothing: messages of `type` become the event `_domain:name`."""
        keep_route(self._pico, DID_O, type, _domain, name)
        return True

    @provides
    @query
    def generate_message(self, message: Json = None) -> Json:
        del message
        raise _not_here("generate_message")

    @provides
    @query
    def clearDidMap(self) -> Json:  # noqa: N802
        raise _not_here("clearDidMap")

    @provides
    @query
    def clearDidDocs(self) -> Json:  # noqa: N802
        raise _not_here("clearDidDocs")

    @provides
    @query
    def clearPendingRotations(self) -> Json:  # noqa: N802
        raise _not_here("clearPendingRotations")

    # -- for other rulesets of this pico ------------------------------------------------------------------

    @provides
    def sendEvent(self, did: str, event: Any) -> None:  # noqa: N802
        """Send `{domain, name, attrs}` to the other side of a connection."""
        self.send(did, f"{event['domain']}:{event['name']}", event.get("attrs") or {})

    @provides
    def sendQuery(self, did: str, _query: Any) -> Json:  # noqa: N802
        """Ask `{rid, name, args}` of the other side of a connection."""
        return self.query(did, _query["rid"], _query["name"], **(_query.get("args") or {}))

    # -- invitations --------------------------------------------------------------------------------------

    @rule(when("wrangler:ruleset_installed", where=lambda event: DID_O in (event.attr("rids") or ())))
    def initialise(self) -> None:
        if self.ready is None:
            self._make_ready("")

    @rule(when("dido:new_invitation"))
    def new_invitation(self, event: Event) -> None:
        """Take the open invitation back and make another one, with a label."""
        label = event.attr("label") or ""
        if self.ready is not None and self.ready["eci"] in self._pico.channels.rows:
            self.pico.delete_channel(self.ready["eci"])
        self._make_ready(str(label))
        if self.ready is not None:
            self.directive("invitation", url=self.ready["url"])

    @rule(when("connection:established", where=lambda event: event.eci == ""))
    def replace_used(self, event: Event) -> None:
        if self.ready is not None and event.attr("id") == self.ready["id"]:
            self._make_ready("")

    def _make_ready(self, label: str) -> None:
        try:
            made = self._pico.engine.port.invite(self._pico, label)
        except EngineError as error:
            self.ready = None
            self.log.warning(f"no invitation could be made: {error.what}")
        else:
            self.ready = {name: made[name] for name in ("id", "url", "eci", "expires")}

    @rule(when("dido:receive_invite"))
    def receive_invite(self, event: Event) -> None:
        """Accept `invite`, a URL; the connection is established when the other side has answered."""
        begun = self._pico.engine.port.accept(self._pico, required_text(event, "invite"))
        self.raise_event("dido:invite_accepted", handed_on(event, id=begun["id"]))


def _not_here(name: str) -> BadRequest:
    return BadRequest(f"{DID_O} has no {name} here: {_NODE_DOES_IT}", "see docs/reference/rulesets.md")
