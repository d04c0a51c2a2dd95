"""Who may ask: host and origin checks against foreign web pages, the owner's token, and redaction for logs.

A browser sends requests to this node on behalf of any page it shows. Three things stop that: `Host` must be
a name of ours (else a foreign name was made to resolve to us: DNS rebinding), `Origin` must be our own, and
`Sec-Fetch-Site` must not say that another site asks. Programs send none of the last two.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
import traceback
from collections.abc import Iterable

from multidict import CIMultiDictProxy, istr

from pico_node.http.problems import ForeignOrigin, HostNotAllowed

TOKEN_MIN_CHARS = 32
"""Less could be guessed; tokens made here have 43 characters (256 bits)."""
KNOWN_HOSTS_MAX = 256
"""Host headers remembered as good, so that a check is one look-up; ports make them many."""

_HOST, _ORIGIN, _SITE = istr("Host"), istr("Origin"), istr("Sec-Fetch-Site")
_OWN_SITES = frozenset({"same-origin", "none"})
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


def host_name(host: str) -> str | None:
    """The name or address in a Host header, lower case and without brackets; None if it is not valid."""
    match = _HOST_AND_PORT.fullmatch(host)
    return match[1].strip("[]").lower() if match else None


def is_loopback(name: str) -> bool:
    """Whether a host name or address always means this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """Refuses what foreign web pages make a browser send. Its `check` runs on every request."""

    def __init__(self, allowed_hosts: Iterable[str] = ()) -> None:
        self._names = {name.strip("[]").lower() for name in allowed_hosts}
        self._known: set[str] = set()

    def allow(self, name: str) -> None:
        """Take requests under one more host name."""
        self._names.add(name.strip("[]").lower())

    def check(self, headers: CIMultiDictProxy[str]) -> None:
        """Raises HostNotAllowed, ForeignOrigin."""
        self.check_values(headers.get(_HOST, ""), headers.get(_ORIGIN), headers.get(_SITE))
        if len(headers.getall(_HOST, ())) > 1:
            raise HostNotAllowed("the request has more than one Host header")

    def check_host(self, headers: CIMultiDictProxy[str]) -> None:
        """Of `check` only what concerns the host. Raises HostNotAllowed."""
        host = headers.get(_HOST, "")
        if host not in self._known:
            self._learn(host)

    def check_values(self, host: str, origin: str | None, site: str | None) -> None:
        """`check` with the three header fields that count. Raises HostNotAllowed, ForeignOrigin."""
        if host not in self._known:
            self._learn(host)
        if origin is not None and not same_origin(origin, host):
            raise ForeignOrigin(f"a page of {origin[:100]!r} asked, which is not this node")
        if site is not None and site not in _OWN_SITES:
            raise ForeignOrigin(f"the browser says that the request comes from another site ({site[:40]!r})")

    def _learn(self, host: str) -> None:
        name = host_name(host)
        if name is None or not (name in self._names or is_loopback(name)):
            raise HostNotAllowed(f"this node does not answer under the name {host[:100]!r}")
        if len(self._known) < KNOWN_HOSTS_MAX:
            self._known.add(host)


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the server of a Host header, over http or a proxy's https."""
    scheme, _, authority = origin.partition("://")
    return scheme in ("http", "https") and authority.lower() == host.lower()


def is_from_own_page(headers: CIMultiDictProxy[str]) -> bool:
    """Whether a browser vouches that one of our own pages asks; cookies count only then for changes."""
    return headers.get(_SITE) == "same-origin" or (
        headers.get(_SITE) is None and same_origin(headers.get(_ORIGIN, ""), headers.get(_HOST, ""))
    )


class OwnerToken:
    """The owner's secret; compared in a time that tells nothing."""

    def __init__(self, token: str) -> None:
        if len(token) < TOKEN_MIN_CHARS:
            raise ValueError(f"the owner's token needs {TOKEN_MIN_CHARS} characters or more")
        self._token = token.encode()

    def admits(self, authorization: str) -> bool:
        """Whether an Authorization header's value carries the token."""
        scheme, _, given = authorization.partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token)
        return same and scheme.lower() == "bearer"


_SECRETS = re.compile(
    r"""(?P<did>did(?::|%3[Aa])[a-z0-9]+(?::|%3[Aa])[A-Za-z0-9._-]{8})[A-Za-z0-9._:%-]+  # a capability
      | (?P<path>/(?:c|sky/event|sky/cloud)/[^/\s?]{0,6})[^/\s?]*
      | (?P<bearer>(?i:bearer)\s+)\S+
      | (?P<query>[?&](?:code|_oob|token)=)[^&\s]+
    """,
    re.VERBOSE,
)


def redact(text: str) -> str:
    """`text` without ECIs, tokens and login codes, fit for a log: `did:peer:4zQmXyzA…`."""
    return _SECRETS.sub(lambda match: next(group for group in match.groups() if group) + "…", text)


def log_defect(log: logging.Logger, method: str, path: str, error: Exception) -> None:
    """Log an error that nobody foresaw, with its traceback and without secrets."""
    story = "".join(traceback.format_exception(error))
    log.error("%s %s failed; this is a defect of the node\n%s", method, redact(path), redact(story))


class WireNoise(logging.Filter):
    """Keeps what clients sent out of the log: of an error on the wire only its kind is told."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg = f"{record.getMessage()}: {record.exc_info[0].__name__}"
            record.args = ()
            record.exc_info = None
        record.msg = redact(str(record.msg))
        return True
