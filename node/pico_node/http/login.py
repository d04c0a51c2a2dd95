"""Logging in with a browser: one-time codes become sessions. Kept in memory: a restart logs everybody out."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

CODE_LIFE_S = 600
"""A login link is opened at once, or by someone else."""
SESSION_LIFE_S = 30 * 24 * 3_600
"""A browser of the owner stays logged in for a month."""
CODES_MAX = 16
"""Login links that wait to be opened; the oldest goes first."""
SESSIONS_MAX = 64
"""Browsers logged in at once; the oldest is logged out."""
_SECRET_BYTES = 32


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class LoginDesk:
    """Issues codes and keeps sessions.

    Both are looked up by their hash, so that neither the time of a look-up nor a memory dump tells a secret.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._codes: dict[bytes, float] = {}
        self._sessions: dict[bytes, float] = {}

    def issue_code(self) -> str:
        """A code for `/login?code=…`, good once and for `CODE_LIFE_S`."""
        return self._add(self._codes, CODES_MAX, CODE_LIFE_S)

    def redeem(self, code: str) -> str | None:
        """A new session's secret for a code, or None."""
        expires = self._codes.pop(_digest(code), None)
        if expires is None or expires < self._now_s():
            return None
        return self._add(self._sessions, SESSIONS_MAX, SESSION_LIFE_S)

    def admits(self, session: str) -> bool:
        expires = self._sessions.get(_digest(session))
        return expires is not None and expires >= self._now_s()

    def end(self, session: str) -> None:
        """Log out."""
        self._sessions.pop(_digest(session), None)

    def _add(self, secrets_by_hash: dict[bytes, float], most: int, life_s: float) -> str:
        now_s = self._now_s()
        for digest in [digest for digest, expires in secrets_by_hash.items() if expires < now_s]:
            del secrets_by_hash[digest]
        while len(secrets_by_hash) >= most:
            del secrets_by_hash[next(iter(secrets_by_hash))]
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        secrets_by_hash[_digest(secret)] = now_s + life_s
        return secret
