"""One process at a time: a lock on a directory that names who has it.

LevelDB's own lock does not do. It is a POSIX record lock, which belongs to the process: a second attempt to
open the database from the same process fails, but closes a descriptor of the lock file on its way out and so
drops the lock, and from then on another process may open the database and ruin it. A lock by `flock` belongs
to the open file instead.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pico_engine.errors import StoreError, StoreLocked

LOCK_NAME: Final = "LOCK.picomesh"
PID_BYTES_MAX: Final = 20
"""More digits than any process id has."""


class DirectoryLock:
    """Held from construction until `release`, or until the process is gone, however it ends."""

    def __init__(self, directory: Path) -> None:
        self._file: int | None = None
        try:
            file = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"cannot lock {directory}: {error.strerror}", _HINT) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, PID_BYTES_MAX, 0).decode("ascii", "replace")
            os.close(file)
            raise StoreLocked(f"{directory} is open already, in {_name(holder)}") from error
        except OSError as error:
            os.close(file)
            raise StoreError(f"cannot lock {directory}: {error.strerror}", _HINT) from error
        self._file = file
        # The id is for people only: a full disk must not keep anybody from opening a store.
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let others in. The file is closed, not unlocked: a forked child must not unlock its parent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


_HINT = "the directory must be writable, on a file system that has locks (flock)"


def _name(holder: str) -> str:
    if holder == str(os.getpid()):
        return f"this very process (process id {holder})"
    return f"the process with id {holder}" if holder else "another process"
