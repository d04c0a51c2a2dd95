"""The lock that keeps a directory for one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pico_engine.errors import StoreError, StoreLocked
from pico_node.store.lock import LOCK_NAME, DirectoryLock

HOLDER = """
import sys, time
from pathlib import Path
from pico_node.store.lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_names_the_process_that_has_it_and_ends_with_it(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(StoreLocked, match=f"{tmp_path} is open already, in the process with id {child.pid}"):
        DirectoryLock(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    DirectoryLock(tmp_path).release()


def test_is_refused_within_the_same_process_until_released(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    for _ in range(2):
        with pytest.raises(StoreLocked, match="this very process"):
            DirectoryLock(tmp_path)
    lock.release()
    lock.release()
    again = DirectoryLock(tmp_path)
    assert (tmp_path / LOCK_NAME).read_text() == str(os.getpid())
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
    again.release()


def test_a_holder_that_could_not_write_its_id_is_refused_all_the_same(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    (tmp_path / LOCK_NAME).write_text("")
    with pytest.raises(StoreLocked, match="in another process"):
        DirectoryLock(tmp_path)
    lock.release()


def test_refused_attempts_leave_no_descriptors_behind(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(5):
        with pytest.raises(StoreLocked):
            DirectoryLock(tmp_path)
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    lock.release()


def test_an_absent_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot lock .*No such file"):
        DirectoryLock(tmp_path / "absent")
