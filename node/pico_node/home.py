"""The node's home directory: its key, the owner's token, the store, the owner's rulesets."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pico_engine.errors import EngineError
from pico_engine.values import Json
from pico_node.options import NODE_FILE_NAME, RULESETS_FOLDER_NAME, TOKEN_FILE_NAME

KEY_FILE_NAME = "node.key"
"""In the home, 0600: 64 hexadecimal digits, the seed of the node's Ed25519 key. Who has it is this node."""
STORE_FOLDER_NAME = "store"
KEY_BYTES = 32
TOKEN_BYTES = 32
TOKEN_CHARS_MIN = 32
"""A shorter token was damaged, or chosen by hand; an empty one would let everybody in."""


class HomeError(EngineError):
    """The node's home directory cannot be used."""

    code = "home"
    default_hint = "choose another --home, or give this user the right to write there"


@dataclass(frozen=True, slots=True)
class Home:
    """A home directory. Everything in it belongs to its owner alone (0700, 0600)."""

    path: Path

    @property
    def store(self) -> Path:
        return self.path / STORE_FOLDER_NAME

    @property
    def rulesets(self) -> Path:
        return self.path / RULESETS_FOLDER_NAME

    @property
    def cache(self) -> Path:
        """Compiled KRL rulesets; may be deleted at any time."""
        return self.path / "cache" / "krl"

    @property
    def node_file(self) -> Path:
        return self.path / NODE_FILE_NAME

    def prepare(self) -> None:
        """Make the directory and its folders, closed to others. Raises HomeError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.rulesets.mkdir(mode=0o700, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise HomeError(f"cannot use {self.path}: {error.strerror}") from error

    def key(self) -> tuple[bytes, bool]:
        """The seed of the node's key, and whether it was made just now. Raises HomeError."""
        text, made = self._secret(KEY_FILE_NAME, secrets.token_bytes(KEY_BYTES).hex())
        try:
            seed = bytes.fromhex(text)
        except ValueError:
            seed = b""
        if len(seed) != KEY_BYTES:
            raise HomeError(
                f"{self.path / KEY_FILE_NAME} does not hold a key of {KEY_BYTES * 2} hexadecimal digits",
                "put back a copy of the file; without its key this node has another name for its peers",
            )
        return seed, made

    def token(self) -> str:
        """The owner's token, made when there is none. Raises HomeError."""
        token, _ = self._secret(TOKEN_FILE_NAME, secrets.token_urlsafe(TOKEN_BYTES))
        if len(token) < TOKEN_CHARS_MIN:
            raise HomeError(
                f"{self.path / TOKEN_FILE_NAME} holds a token of {len(token)} characters, too easy to guess",
                "delete the file, then start again: a new token will be made",
            )
        return token

    def _secret(self, name: str, fresh: str) -> tuple[str, bool]:
        path = self.path / name
        try:
            if path.exists():
                path.chmod(0o600)
                return path.read_text(encoding="ascii").strip(), False
            self._write(path, fresh + "\n")
        except (OSError, UnicodeError) as error:
            raise HomeError(f"cannot read or write {path}: {error}") from error
        return fresh, True

    def remembered(self) -> dict[str, Json]:
        """What `remember` wrote last; {} when nothing (readable) was."""
        try:
            found = json.loads(self.node_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def remember(self, facts: dict[str, Json]) -> None:
        """Write down where the running node can be found. Raises HomeError."""
        try:
            self._write(self.node_file, json.dumps(facts, indent=2) + "\n")
        except OSError as error:
            raise HomeError(f"cannot write {self.node_file}: {error.strerror}") from error

    def _write(self, path: Path, text: str) -> None:
        """Write a file so that it is there as a whole or not at all, also after a power failure."""
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
            folder = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
