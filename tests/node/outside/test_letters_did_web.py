"""A did:web is fetched from a real https server, whose certificate is made here."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pico_didcomm.did.resolver import Resolver
from pico_didcomm.did.web import DOCUMENT_BYTES_MAX, did_web_url
from pico_didcomm.protocols.trust_ping import PING_RESPONSE_TYPE, make_ping
from pico_node.agent.messages import DocumentFetched, FetchDocument, ForeignAnswer
from pico_node.outside import EgressPolicy, OutsideLimits
from pico_node.outside.client import Client
from pico_node.outside.letters import FAILURE_LIFETIME_MS, Letters
from tests.node.agent.test_documents import Webber
from tests.node.agent.test_foreign import World, returning
from tests.node.outside.servers import serving

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOW = datetime.now(UTC)


class Certificate:
    """Signed by itself, for one name; `theirs` is the server's context, `trust` that of who believes it."""

    def __init__(self, folder: Path, name: str = "localhost", days: int = 1) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=3))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        )
        pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = folder / f"{name}.pem"
        file.write_bytes(pem + secret)
        self.theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.theirs.load_cert_chain(file)
        self.trust = ssl.create_default_context(cadata=pem.decode())


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


class Fetcher:
    """The letters of a node that opened `allowed`; `fetch` gives what was handed in."""

    def __init__(self, trust: ssl.SSLContext | None, *allowed: str, request_max_s: float = 5.0) -> None:
        self.client = Client(EgressPolicy(allowed), OutsideLimits(request_max_s=request_max_s), trust)
        self.got: list[Any] = []
        self.letters = Letters(self.client, None, self.got.append)

    async def fetch(self, did: str) -> DocumentFetched:
        return await self.carry_out(FetchDocument(did, did_web_url(did)))

    async def carry_out(self, effect: FetchDocument) -> DocumentFetched:
        self.letters.send(effect)
        async with asyncio.timeout(20):
            while not self.got:
                await asyncio.sleep(0.005)
        found: DocumentFetched = self.got.pop()
        return found


@asynccontextmanager
async def fetching(trust: ssl.SSLContext | None, *allowed: str, **more: float) -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(trust, *allowed, **more)
    yield fetcher
    await fetcher.letters.close()
    await fetcher.client.close()


def did_at(url: str) -> str:
    """The did:web of a server here: IP addresses have none, so it goes by the name of loopback."""
    return f"did:web:localhost%3A{url.rpartition(':')[2]}"


def body(did: str) -> bytes:
    return json.dumps({"id": did}).encode()


async def found(
    certificate: Certificate, handler: Handler, *, trust: ssl.SSLContext | None = None, **more: float
) -> DocumentFetched:
    """What comes of a fetch from a server with this certificate and handler."""
    believed = trust or certificate.trust
    async with (
        serving(handler, certificate.theirs) as url,
        fetching(believed, "localhost", **more) as fetcher,
    ):
        return await fetcher.fetch(did_at(url))


def answering(**how: Any) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        did = f"did:web:{request.host.replace(':', '%3A')}"
        return web.Response(**{"body": body(did), "content_type": "application/did+json", **how})

    return handler


@pytest.mark.parametrize(
    "media_type", ["application/did+json", "application/json; charset=utf-8", "application/did+ld+json"]
)
async def test_it_is_fetched_and_resolved(certificate: Certificate, media_type: str) -> None:
    asked: list[tuple[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.method, request.path))
        did = f"did:web:{request.host.replace(':', '%3A')}"
        headers = {"Content-Type": media_type, "Cache-Control": "max-age=60"}
        return web.Response(body=body(did), headers=headers)

    fetched = await found(certificate, handler)
    assert asked == [("GET", "/.well-known/did.json")]
    assert (fetched.why, fetched.lifetime_ms) == ("", 60_000)
    assert fetched.body is not None
    resolver = Resolver()
    resolver.learn_document(fetched.did, fetched.body, 0, fetched.lifetime_ms)
    assert resolver.at(1).resolve(fetched.did).did == fetched.did


async def test_an_agent_whose_did_is_a_did_web_connects(certificate: Certificate) -> None:
    """From its greeting to our answer, with its document from the server."""
    world = World()
    documents: dict[str, bytes] = {}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=documents[request.path], content_type="application/did+json")

    async with serving(handler, certificate.theirs) as url:
        agent = Webber(world, did_at(url) + ":agents:bob")
        documents["/agents/bob/did.json"] = agent.body
        thread = agent.read(world.invite()["url"])
        ping = returning(replace(make_ping("p", agent.did, agent.theirs), pthid=thread))
        (asked,) = world.give(agent.seal(ping), reply="http")
        async with fetching(certificate.trust, "localhost") as fetcher:
            world.node.agent.receive(await fetcher.carry_out(asked), world.net.clock.now)
    (answer,) = world.effects()
    assert isinstance(answer, ForeignAnswer)
    assert answer.message is not None
    assert agent.open(answer.message).message.type == PING_RESPONSE_TYPE
    assert world.node.connection()["Tx"] == agent.did


async def trickle(request: web.Request) -> web.StreamResponse:
    """A server that never ends."""
    response = web.StreamResponse(headers={"Content-Type": "application/did+json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def silence(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    raise web.HTTPNoContent


LARGE = b" " * (DOCUMENT_BYTES_MAX + 1)


@pytest.mark.parametrize(
    ("handler", "why"),
    [
        (answering(status=301, headers={"Location": "/elsewhere/did.json"}), "answers 301"),
        (answering(status=307, headers={"Location": "https://localhost/did.json"}), "answers 307"),
        (answering(status=404), "answers 404"),
        (answering(status=204, body=b""), "answers 204"),
        (answering(body=LARGE), "larger than 65,536"),
        (
            answering(body=gzip.compress(LARGE * 100), headers={"Content-Encoding": "gzip"}),
            "larger than 65,536",
        ),
        (answering(content_type="text/html"), "text/html, no DID document"),
        (answering(content_type="text/plain"), "text/plain, no DID document"),
        (answering(content_type="application/octet-stream"), "no DID document"),
        (trickle, "did not answer within"),
        (silence, "did not answer within"),
    ],
)
async def test_what_is_refused(certificate: Certificate, handler: Handler, why: str) -> None:
    fetched = await found(certificate, handler, request_max_s=0.5)
    assert (fetched.body, fetched.lifetime_ms) == (None, FAILURE_LIFETIME_MS)
    assert why in fetched.why


async def test_what_is_just_small_enough(certificate: Certificate) -> None:
    fetched = await found(certificate, answering(body=LARGE[1:]))
    assert len(fetched.body or b"") == DOCUMENT_BYTES_MAX


@pytest.mark.parametrize(
    ("made", "believed"),
    [({}, False), ({"name": "agents.example"}, True), ({"days": -1}, True)],
    ids=["signed by nobody known", "for another name", "expired"],
)
async def test_certificates_that_are_not_believed(tmp_path: Path, made: Any, believed: bool) -> None:
    certificate = Certificate(tmp_path, **made)
    trust = certificate.trust if believed else ssl.create_default_context()
    fetched = await found(certificate, answering(), trust=trust)
    assert fetched.body is None
    assert "certificate" in fetched.why.lower()


async def test_a_server_without_tls_is_not_asked_in_the_clear() -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with serving(handler) as url, fetching(None, "localhost") as fetcher:
        assert (await fetcher.fetch(did_at(url))).body is None
    assert asked == []


async def test_loopback_is_asked_only_where_the_owner_opened_it(certificate: Certificate) -> None:
    async with serving(answering(), certificate.theirs) as url:
        async with fetching(certificate.trust) as fetcher:
            fetched = await fetcher.fetch(did_at(url))
            assert fetched.body is None
            assert fetcher.letters.counters["denied"] == 1
        async with fetching(certificate.trust, "127.0.0.0/8") as fetcher:
            assert (await fetcher.fetch(did_at(url))).body == body(did_at(url))
