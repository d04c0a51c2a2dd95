"""The home directory: closed to others, whole or not there, and clear about what is wrong with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pico_node.home import KEY_FILE_NAME, Home, HomeError
from pico_node.names import TOKEN_FILE_NAME


@pytest.fixture
def home(tmp_path: Path) -> Home:
    one = Home(tmp_path / "deep" / "home")
    one.prepare()
    return one


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_belongs_to_the_owner_alone(home: Home) -> None:
    old = os.umask(0)
    try:
        home.key()
        home.token()
        home.remember({"http": "http://127.0.0.1:1"})
    finally:
        os.umask(old)
    assert mode(home.path) == mode(home.rulesets) == 0o700
    for name in (KEY_FILE_NAME, TOKEN_FILE_NAME, "node.json"):
        assert mode(home.path / name) == 0o600
    assert sorted(one.name for one in home.path.iterdir()) == ["node.json", "node.key", "rulesets", "token"]


def test_a_home_that_was_open_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / KEY_FILE_NAME).write_text("ab" * 32)
    (tmp_path / KEY_FILE_NAME).chmod(0o644)
    home = Home(tmp_path)
    home.prepare()
    home.key()
    assert mode(tmp_path) == 0o700
    assert mode(tmp_path / KEY_FILE_NAME) == 0o600


def test_key_and_token_stay(home: Home) -> None:
    seed, made = home.key()
    assert made
    assert len(seed) == 32
    assert home.key() == (seed, False)
    assert home.token() == home.token()
    assert len(home.token()) >= 40


def test_two_homes_differ(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("a", "b")]
    for one in homes:
        one.prepare()
    assert homes[0].key() != homes[1].key()
    assert homes[0].token() != homes[1].token()


@pytest.mark.parametrize("damaged", [b"", b"ab" * 31, b"ab" * 33, b"zz" * 32, b"\xff\xfe\x00", b"ab " * 33])
def test_a_damaged_key_is_refused_and_left_as_it_is(home: Home, damaged: bytes) -> None:
    path = home.path / KEY_FILE_NAME
    path.write_bytes(damaged)
    with pytest.raises(HomeError) as caught:
        home.key()
    assert str(path) in caught.value.what
    assert caught.value.hint
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("damaged", [b"", b"\n", b"short\n", b"\xff\xfe"])
def test_a_damaged_token_is_refused(home: Home, damaged: bytes) -> None:
    """An empty token would let everybody in."""
    (home.path / TOKEN_FILE_NAME).write_bytes(damaged)
    with pytest.raises(HomeError, match=TOKEN_FILE_NAME):
        home.token()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot use") as caught:
        Home(tmp_path / "file").prepare()
    assert "--home" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(HomeError):
            Home(tmp_path / "home").prepare()
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_cannot_be_written_is_refused(home: Home, monkeypatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HomeError, match="No space left"):
        home.key()
    with pytest.raises(HomeError, match="No space left"):
        home.remember({})
    assert [one.name for one in home.path.iterdir()] == ["rulesets"], "no half file stays"


def test_what_is_remembered(home: Home) -> None:
    assert home.remembered() == {}
    home.remember({"http": "http://127.0.0.1:4200", "pid": 7})
    assert home.remembered() == {"http": "http://127.0.0.1:4200", "pid": 7}


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "\0"])
def test_an_unreadable_memory_is_no_memory(home: Home, text: str) -> None:
    home.node_file.write_text(text)
    assert home.remembered() == {}
