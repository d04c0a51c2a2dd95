"""From words to an exit code: what `up` is given, the precedence of settings, help, and a fast start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pico_node.serve
from pico_node.cli import settings
from pico_node.cli.commands import COMMANDS, COMMON
from pico_node.cli.exits import Exit
from pico_node.cli.main import main
from pico_node.options import UpOptions


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[UpOptions]:
    """The options with which nodes were started."""
    options: list[UpOptions] = []
    monkeypatch.setattr(pico_node.serve, "run", lambda given: options.append(given) or 0)
    return options


def config(text: str) -> Path:
    path = settings.config_path(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_up_by_default(started, tmp_path):
    assert main(["up"]) == Exit.OK
    assert started == [UpOptions(home=tmp_path / "data" / "picomesh")]


def test_up_with_everything(started, tmp_path):
    words = (
        f"up --home {tmp_path}/h --http [::1]:0 --listen /ip4/0.0.0.0/tcp/1 --listen /ip4/0.0.0.0/tcp/2 "
        "--no-browser --no-mdns --bootstrap /dns/x --log-level debug --allowed-host a.example --open-metrics "
        f"--egress-allow 10.0.0.0/8 --ruleset-folder {tmp_path}/r --watch --compat --compat-ui {tmp_path}/ui"
    )
    assert main(words.split()) == Exit.OK
    assert started == [
        UpOptions(
            home=tmp_path / "h", http=("::1", 0), listen=("/ip4/0.0.0.0/tcp/1", "/ip4/0.0.0.0/tcp/2"),
            open_browser=False, mdns=False, bootstrap=("/dns/x",), log_level="debug",
            allowed_hosts=("a.example",), open_metrics=True, egress_allow=("10.0.0.0/8",),
            ruleset_folders=(tmp_path / "r",), watch=True, compat=True, compat_ui=tmp_path / "ui",
        )
    ]  # fmt: skip


def test_precedence_option_environment_file_default(started, monkeypatch):
    config('[up]\nhttp = "127.0.0.1:1"\nlisten = ["/file"]\nmdns = false\n')
    main(["up"])
    monkeypatch.setenv("PICOMESH_UP_HTTP", "127.0.0.1:2")
    monkeypatch.setenv("PICOMESH_UP_LISTEN", "/one, /two")
    main(["up"])
    main(["up", "--http", ":3", "--mdns"])
    assert [(one.http[1], one.listen, one.mdns) for one in started] == [
        (1, ("/file",), False),
        (2, ("/one", "/two"), False),
        (3, ("/one", "/two"), True),
    ]


def test_home_in_the_file_and_environment(started, monkeypatch, tmp_path):
    config(f'home = "{tmp_path}/file"\n')
    main(["up"])
    monkeypatch.setenv("PICOMESH_HOME", str(tmp_path / "environment"))
    main(["up"])
    main(["--home", str(tmp_path / "before"), "up"])
    main(["up", "--home", str(tmp_path / "after")])
    assert [one.home.name for one in started] == ["file", "environment", "before", "after"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("http = 1", "unknown setting `http`"),
        ("[up]\nhtp = 1", "unknown setting `htp` in [up]"),
        ("[down]\na = 1", "unknown setting `down`"),
        ("[up]\nhttp = 4200", "http in [up] of the configuration file must be of the form HOST:PORT"),
        ("[up]\nlisten = \"/x\"", "must be a list"),
        ("[up]\nmdns = \"perhaps\"", "must be true or false"),
        ("[up]\nlog_level = \"loud\"", "must be one of debug"),
        ("timeout = 0", "at least one second"),
        ("[up", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused(started, capsys, text, part):
    config(text)
    assert main(["up"]) == Exit.USAGE
    assert part in capsys.readouterr().err
    assert started == []


@pytest.mark.parametrize(
    "words",
    [
        "bogus",
        "pico",
        "pico bogus",
        "up --http nonsense",
        "up --bogus",
        "status extra",
        "up --log-level loud",
        "event @ a:b =1",
        "event @ a:b c",
        "event @ a:b c:=x",
        "query e r q a=1 --json-args [1]",
        "event @ a:b --x c=1",
        "query e r q --json-args 3",
        "channel new --allow-event nocolon",
        "invite --expires soon",
        "invite --qr x.gif",
        "completion tcsh",
        "event @ a:b --json-attrs []",
        "up --home",
        "--timeout 0 status",
        "",
        "--hom x status",
    ],
)
def test_wrong_words(capsys, words):
    assert main(words.split()) == Exit.USAGE
    told = capsys.readouterr()
    assert told.err or words == ""
    assert "Traceback" not in told.err


def test_help_and_version(capsys):
    for command in COMMANDS:
        assert main([*command.words, "--help"]) == Exit.OK
        text = " ".join(capsys.readouterr().out.split())
        for option in command.options + COMMON:
            assert f"--{option.name}" in text
    assert main(["--version"]) == Exit.OK
    assert capsys.readouterr().out.startswith("picomesh ")


def test_the_fast_path_imports_neither_the_engine_nor_a_framework():
    program = (
        "import sys; from pico_node.cli.main import main; code = main(['status']); "
        "print(code, *sorted(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    code, *modules = out.split()
    assert int(code) == Exit.NODE_NOT_RUNNING
    heavy = {"aiohttp", "libp2p", "pico_engine", "pico_didcomm", "asyncio", "orjson", "segno", "ssl",
             "dataclasses", "http.client", "email", "tomllib", "trio", "plyvel", "subprocess"}  # fmt: skip
    assert not heavy & set(modules)


def test_an_unforeseen_end_of_output_is_no_error():
    run = f"{sys.executable} -m pico_node.cli.main completion fish | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", run], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
