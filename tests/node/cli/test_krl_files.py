"""KRL files that a command names."""

from __future__ import annotations

import io
import os
import stat
import sys

import pytest

from pico_node.cli.errors import UsageError
from pico_node.cli.krl_files import FILE_MAX_BYTES, KrlFile, read_files, replace_file


def test_files_and_folders_each_once_in_their_order(tmp_path):
    for name in ("b.krl", "a.krl", "deep/c.krl", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode() + b"\r\n")
    (tmp_path / "folder.krl").mkdir()
    named = [str(tmp_path / "d.txt"), str(tmp_path), str(tmp_path / "a.krl")]
    found = list(read_files(named))
    assert [one.name.removeprefix(f"{tmp_path}/") for one in found] == [
        "d.txt",
        "a.krl",
        "b.krl",
        "deep/c.krl",
    ]
    assert found[0].text == "d.txt\r\n"


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é".encode())))
    assert list(read_files(["-"])) == [KrlFile("-", "é")]


def test_what_cannot_be_read(tmp_path):
    bad = tmp_path / "bad.krl"
    bad.write_bytes(b"one\ntwo \xff")
    large = tmp_path / "large.krl"
    large.write_bytes(b" " * (FILE_MAX_BYTES + 1))
    for names, told in (
        ([], "no KRL file is named"),
        ([str(tmp_path / "none.krl")], "cannot read .*none.krl: No such file"),
        ([str(bad)], "bad.krl is not UTF-8, from line 2 on"),
        ([str(large)], "larger than 131,072 bytes"),
    ):
        with pytest.raises(UsageError, match=told):
            list(read_files(names))


def test_a_file_is_replaced_with_the_rights_it_has_also_behind_a_link(tmp_path):
    file = tmp_path / "a.krl"
    file.write_text("old")
    file.chmod(0o640)
    (tmp_path / "link.krl").symlink_to(file)
    replace_file(str(tmp_path / "link.krl"), "new\r\n")
    assert file.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert (tmp_path / "link.krl").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["a.krl", "link.krl"]


def test_a_file_that_cannot_be_written_stays(tmp_path, monkeypatch):
    file = tmp_path / "a.krl"
    file.write_text("old")
    monkeypatch.setattr(os, "fchmod", lambda *_: (_ for _ in ()).throw(PermissionError("no")))
    with pytest.raises(PermissionError):
        replace_file(str(file), "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.krl"]
