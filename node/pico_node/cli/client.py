"""The command line's way to its node: the owner's API over plain HTTP, found by two files in the home.

Only the standard library, and as little of it as can be: `picomesh status` should answer at once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pico_node.cli.errors import CliError, NoAnswer, NodeSaidNo, NotRunning
from pico_node.cli.http import BadAnswer, ask, encode_part, split_base_url
from pico_node.names import NODE_FILE_NAME, TOKEN_FILE_NAME

API = "/api/v1"
ROOT_PICO = "@"


def path(*parts: str) -> str:
    """A path of the API; parts are encoded, so that a pico may be named `a/b`."""
    return API + "".join("/" + encode_part(part) for part in parts)


class Client:
    """Asks the node that runs in a home. Every method raises CliError subclasses only."""

    def __init__(self, home: Path, timeout_s: int) -> None:
        self._home = home
        self._timeout_s = timeout_s

    def get(self, where: str, **parameters: Any) -> Any:
        """Parameters that are None are left out."""
        given = [
            f"{name}={encode_part(str(value))}" for name, value in parameters.items() if value is not None
        ]
        return self._ask("GET", f"{where}?{'&'.join(given)}" if given else where, None)

    def post(self, where: str, **body: Any) -> Any:
        """Fields that are None are left out."""
        return self._ask("POST", where, {name: value for name, value in body.items() if value is not None})

    def delete(self, where: str) -> Any:
        return self._ask("DELETE", where, None)

    def base_url(self) -> str:
        """The node's base URL. Raises NotRunning."""
        return self._find()[0]

    def _find(self) -> tuple[str, int]:
        file = self._home / NODE_FILE_NAME
        hint = f"start it with `picomesh up --home {self._home}`, or name another home with --home"
        try:
            node = json.loads(file.read_bytes())
            url, pid = str(node["http"]), int(node["pid"])
            split_base_url(url)
        except FileNotFoundError:
            raise NotRunning(f"no node runs in {self._home}", hint) from None
        except OSError as error:
            raise CliError(
                f"cannot read {file}: {error.strerror}", "run it as the owner of the node"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise NotRunning(f"{file} cannot be understood", f"delete it and {hint}") from None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            raise NotRunning(f"the node in {self._home} has ended (process {pid} is gone)", hint) from None
        except (PermissionError, OverflowError):
            pass  # another user's process, or not a process number: the connection will tell
        return url if "://" in url else f"http://{url}", pid

    def _token(self) -> str:
        file = self._home / TOKEN_FILE_NAME
        try:
            return file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CliError(
                f"cannot read the owner's token in {file}: {error}", "run it as the owner of the node"
            ) from None

    def _ask(self, method: str, target: str, body: Any) -> Any:
        url, pid = self._find()
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        data = b""
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            status, answer = ask(split_base_url(url), method, target, headers, data, self._timeout_s)
        except ConnectionRefusedError:
            raise NotRunning(
                f"nothing answers at {url}, where the node (process {pid}) should be",
                f"if process {pid} is no node, delete {self._home / NODE_FILE_NAME} and run `picomesh up`",
            ) from None
        except TimeoutError:
            raise NoAnswer(
                f"the node at {url} did not answer within {self._timeout_s} s",
                "it may still do what was asked; `picomesh trace` shows; --timeout waits longer",
            ) from None
        except (OSError, BadAnswer) as error:
            raise NoAnswer(
                f"the connection to {url} broke: {error}",
                "the node may have stopped; `picomesh status` tells",
            ) from None
        return _understand(status, answer, url)


def _understand(status: int, answer: bytes, url: str) -> Any:
    try:
        data = json.loads(answer) if answer else None
    except ValueError:
        data = None
    if 200 <= status < 300:
        return data
    problem = data if isinstance(data, dict) else {}
    raise NodeSaidNo(
        str(problem.get("detail") or f"{url} answered with status {status}"),
        str(problem.get("hint") or "look into the node's log"),
        str(problem.get("code") or "node-failed"),
        status,
    )
