"""Other implementations of DIDComm and JOSE as subprocesses: one JSON object a line, in and out.

`make oracles` puts them under `.oracles/`. They live in environments of their own, because SICPA's library
cannot be installed beside libp2p, and because its module `didcomm` has the name of our folder.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

HERE: Final = Path(__file__).parent
HOME: Final = HERE.parents[2] / ".oracles"
PYTHON: Final = HOME / "sicpa" / "bin" / "python"
NODE_MODULES: Final = HOME / "node" / "node_modules"

COMMANDS: Final[Mapping[str, tuple[Path, list[str]]]] = {
    "sicpa": (PYTHON, [str(PYTHON), "-I", "-W", "ignore", str(HERE / "sicpa_driver.py")]),
    "joserfc": (PYTHON, [str(PYTHON), "-I", "-W", "ignore", str(HERE / "joserfc_driver.py")]),
    "didcomm-node": (
        NODE_MODULES / "didcomm-node",
        ["node", str(HERE / "node_driver.cjs"), str(NODE_MODULES)],
    ),
}
"""Name -> what must exist, and how it is started."""


class OracleError(Exception):
    """What the other implementation said when it refused."""


def missing(name: str) -> str | None:
    """Why an oracle cannot be asked, None if it can."""
    needed, command = COMMANDS[name]
    if not needed.exists():
        return f"{needed.relative_to(HOME.parent)} is not there: run `make oracles`"
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    return None


class Oracle:
    """A running oracle. `ask(op, ...)` gives its answer or raises OracleError with its words."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            COMMANDS[name][1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, op: str, **members: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **members}) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise OracleError("the oracle has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise OracleError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Ends it; it stops reading commands and goes."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
