"""The HTTP client for rulesets: asks where the policy allows, within limits, and never elsewhere.

The address that is checked is the one that is dialled: names are resolved here, denied addresses are dropped,
and the socket is made only for an admitted address. Redirects are followed here, too, each checked anew.
"""

from __future__ import annotations

import asyncio
import codecs
import socket
import ssl
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pico_engine.errors import BadRequest, EgressDenied, FetchFailed, LimitExceeded
from pico_node.outside.limits import OutsideLimits
from pico_node.outside.policy import EgressPolicy, address_of

USER_AGENT = "picomesh"
_OURS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "upgrade", "te"}
)
"""Headers that say how the request travels, which is not for rulesets to say."""
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})
_CHUNK_BYTES = 65_536
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape"}
    | {"raw_unicode_escape", "utf-7", "mbcs", "oem"}
)
"""Encodings that Python knows besides: some take the square of a text's length, some make half characters."""
HEARTBEAT_S = 30.0
"""Of a WebSocket: shorter than the silence after which a NAT commonly forgets a connection."""


class _DeniedError(OSError):
    """Raised inside the connector; comes out as the reason of its error."""


class Answer(NamedTuple):
    """A complete answer; header names in lower case, the values of repeated ones joined by commas."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    charset: str

    @property
    def text(self) -> str:
        """The body by its charset; as UTF-8 by one that is unknown, or none for texts of the web."""
        try:
            if codecs.lookup(self.charset).name not in _NO_CHARSETS:
                return self.body.decode(self.charset, "replace")
        except (LookupError, ValueError):
            pass
        return self.body.decode("utf-8", "replace")


class _Resolver(AbstractResolver):
    """The system's resolver without the addresses that the policy denies."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        for kind, _, protocol, _, where in found:
            address = address_of(str(where[0]))
            if address is not None and self._policy.admits_address(address):
                results.append(
                    ResolveResult(
                        hostname=host,
                        host=str(where[0]),
                        port=port,
                        family=kind,
                        proto=protocol,
                        flags=socket.AI_NUMERICHOST,
                    )
                )
        if not results:
            raise _DeniedError(f"{host} leads to no address that rulesets may ask")
        return results

    async def close(self) -> None:
        """Nothing is held."""


class Client:
    """Makes requests. Strict ones obey the policy; others the owner named, or they go to names he opened.

    `trust` says whose certificates are believed, if not those that the system believes.
    """

    def __init__(
        self, policy: EgressPolicy, limits: OutsideLimits, trust: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._trust = trust
        self._strict: aiohttp.ClientSession | None = None
        self._open: aiohttp.ClientSession | None = None

    def _session(self, *, strict: bool) -> aiohttp.ClientSession:
        known = self._strict if strict else self._open
        if known is None:
            connector = aiohttp.TCPConnector(
                limit=self._limits.open_max,
                ssl=self._trust or True,
                use_dns_cache=False,
                resolver=_Resolver(self._policy) if strict else aiohttp.ThreadedResolver(),
                socket_factory=self._socket if strict else None,
            )
            known = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
            if strict:
                self._strict = known
            else:
                self._open = known
        return known

    def _socket(self, info: Any) -> socket.socket:
        """The last gate before a connection: also what the resolver has not seen comes through here."""
        kind, style, protocol, _, where = info
        address = address_of(str(where[0]))
        if address is None or not self._policy.admits_address(address):
            raise _DeniedError(f"{where[0]} is no address that rulesets may ask")
        return socket.socket(kind, style, protocol)

    async def close(self) -> None:
        for session in (self._strict, self._open):
            if session is not None:
                await session.close()
        self._strict = self._open = None

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        *,
        follow_redirects: bool = True,
        granted: bool = False,
        bytes_max: int | None = None,
    ) -> Answer:
        """The answer to one request. `granted`: the owner named this URL; redirects are checked all the same.

        `bytes_max` of the answer's body are read, if that is less than answer_max_bytes.

        Raises EgressDenied, FetchFailed, LimitExceeded, BadRequest.
        """
        sent = _checked_headers(headers or {})
        target = _checked_url(url)
        left = self._limits.redirects_max
        most = min(self._limits.answer_max_bytes, bytes_max or self._limits.answer_max_bytes)
        try:
            async with asyncio.timeout(self._limits.request_max_s):
                while True:
                    answer = await self._once(method, target, sent, body, granted, most)
                    location = answer.headers.get("location")
                    if not (follow_redirects and answer.status in (301, 302, 303, 307, 308) and location):
                        return answer
                    if left == 0:
                        raise FetchFailed(f"{url} redirects more than {self._limits.redirects_max} times")
                    left -= 1
                    before, granted = target, False
                    target = _checked_url(location, before)
                    if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                        method, body = "GET" if method != "HEAD" else method, None
                    if target.origin() != before.origin():
                        sent = {name: value for name, value in sent.items() if name.lower() not in _SECRET}
        except TimeoutError:
            raise FetchFailed(
                f"{url} did not answer within request_max_s, {self._limits.request_max_s} s"
            ) from None

    async def socket(self, url: str) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket to a URL that the owner named, wherever that is.

        Raises FetchFailed, aiohttp.ClientError, OSError.
        """
        try:
            async with asyncio.timeout(self._limits.request_max_s):
                return await self._session(strict=False).ws_connect(
                    url, heartbeat=HEARTBEAT_S, max_msg_size=self._limits.answer_max_bytes
                )
        except TimeoutError:
            raise FetchFailed(f"{url} did not answer within {self._limits.request_max_s} s") from None

    async def _once(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: str | None,
        granted: bool,
        most: int,
    ) -> Answer:
        host = url.host or ""
        strict = not (granted or self._policy.admits_name(host))
        address = address_of(host)
        if strict and address is not None and not self._policy.admits_address(address):
            raise EgressDenied(f"{host} is no address that rulesets may ask")
        given = {"User-Agent": USER_AGENT, **headers, "Accept-Encoding": "gzip, deflate"}
        data = None if body is None else body.encode("utf-8", "replace")
        try:
            async with self._session(strict=strict).request(
                method, url, headers=given, data=data, allow_redirects=False
            ) as response:
                return Answer(
                    response.status,
                    response.reason or "",
                    _joined(response.headers),
                    await self._read(response, most),
                    response.charset or "utf-8",
                )
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _DeniedError):
                raise EgressDenied(str(error.os_error)) from None
            raise FetchFailed(f"{host} cannot be reached: {error.os_error}") from None
        except _DeniedError as error:
            raise EgressDenied(str(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed(f"the request to {host} failed: {error}") from None

    async def _read(self, response: aiohttp.ClientResponse, most: int) -> bytes:
        """The body, unpacked, never more than the limit: a small packed body may be a very large one."""
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        unpack: Any = None
        if packing in ("gzip", "x-gzip", "deflate"):
            unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif packing not in ("identity", ""):
            raise FetchFailed(f"the answer is packed as {packing[:40]!r}, which nobody asked for")
        found = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            try:
                found += chunk if unpack is None else unpack.decompress(chunk, most + 1 - len(found))
            except zlib.error as error:
                raise FetchFailed(f"the answer is packed badly: {error}") from None
            if len(found) > most:
                which = ", answer_max_bytes" if most == self._limits.answer_max_bytes else ""
                raise LimitExceeded(f"the answer is larger than {most:,} bytes{which}")
        return bytes(found)


def _checked_url(text: str, base: URL | None = None) -> URL:
    """An http(s) URL. Raises BadRequest; EgressDenied for other schemes behind a redirect."""
    try:
        url = URL(text) if base is None else base.join(URL(text))
        usable = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        usable = False
    if not usable:
        kind = BadRequest if base is None else EgressDenied
        raise kind(f"{text[:200]!r} is no http or https URL")
    return url


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they may be sent. Raises BadRequest for what is no header."""
    checked = {}
    for name, value in headers.items():
        plain = name and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not plain or any(ord(char) < 32 and char != "\t" for char in value):
            raise BadRequest(f"{name[:80]!r} cannot be sent as an HTTP header")
        if name.lower() not in _OURS:
            checked[name] = value
    return checked


def _joined(headers: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
