"""Words, settings and their precedence, exit codes, completion, and a fast start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pico_node.serve
from pico_node.cli import settings
from pico_node.cli.commands import COMMANDS, COMMON, GROUPS
from pico_node.cli.commands.messages import read_pairs
from pico_node.cli.errors import CliError, UsageError
from pico_node.cli.exits import MEANINGS, Exit, exit_for_problem
from pico_node.cli.http import encode_part, split_base_url
from pico_node.cli.kinds import ADDRESS, DURATION, FLAG, Kind
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
        "--no-browser --no-mdns --bootstrap /dns/x --log-level debug --allowed-host a.example --open-metrics"
    )
    assert main(words.split()) == Exit.OK
    assert started == [
        UpOptions(
            home=tmp_path / "h", http=("::1", 0), listen=("/ip4/0.0.0.0/tcp/1", "/ip4/0.0.0.0/tcp/2"),
            open_browser=False, mdns=False, bootstrap=("/dns/x",), log_level="debug",
            allowed_hosts=("a.example",), open_metrics=True,
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


def test_every_command_of_one_parser_is_the_same_in_the_whole_parser():
    for command in COMMANDS:
        assert command.words[0] in GROUPS or len(command.words) == 1


def test_every_exit_code_has_a_meaning():
    assert set(MEANINGS) == set(Exit)
    assert exit_for_problem("busy", 503) == Exit.TRY_LATER
    assert exit_for_problem("unknown", 500) == Exit.NODE_ERROR
    assert exit_for_problem("unknown", 404) == Exit.NOT_FOUND
    assert exit_for_problem("store-full", 507) == Exit.LIMIT
    for kind in [CliError, *CliError.__subclasses__()]:
        assert kind.__doc__


def test_every_variable_is_of_one_option():
    names = [settings.variable_name(option) for option in COMMON]
    names += [settings.variable_name(option, command) for command in COMMANDS for option in command.options]
    assert len(names) == len(set(names))
    assert "PICOMESH_HOME" in names
    assert "PICOMESH_INVITE_MY_ROLE" in names


@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda key: "=" not in key and not key.endswith(":")), st.text()
    )
)
def test_pairs_are_read_back(pairs):
    assert read_pairs([f"{key}={value}" for key, value in pairs.items()]) == pairs


@given(st.text())
def test_encoded_parts_stay_one_segment(text):
    from urllib.parse import unquote

    assert unquote(encode_part(text)) == text
    assert not set("/?#&=+% ") & set(encode_part(text).replace("%", "")) - set()


@pytest.mark.parametrize("kind", [ADDRESS, DURATION, FLAG])
@given(value=st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.text()))
def test_kinds_read_or_refuse(kind: Kind, value):
    try:
        kind.read(value)
    except ValueError:
        assert kind.wanted


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:1", ("127.0.0.1", 1)),
        ("localhost:2", ("localhost", 2)),
        ("http://[::1]:3/", ("::1", 3)),
    ],
)
def test_base_urls(url, address):
    assert split_base_url(url) == address


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_word(capsys, shell):
    assert main(["completion", shell]) == Exit.OK
    script = capsys.readouterr().out
    for command in COMMANDS:
        for word in command.words:
            assert word in script
        for option in command.options:
            assert (f"-l {option.name}" if shell == "fish" else f"--{option.name}") in script
    found = shutil.which(shell)
    if found:
        subprocess.run([found, "-n"], input=script, text=True, check=True, capture_output=True)


def test_completion_in_bash(capsys):
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    main(["completion", "bash"])
    script = capsys.readouterr().out

    def complete(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        run = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _picomesh; echo ${{COMPREPLY[@]}}"
        return set(
            subprocess.run([bash, "-c", run], text=True, capture_output=True, check=True).stdout.split()
        )

    assert complete("picomesh", "pi") == {"pico"}
    assert complete("picomesh", "pico", "") >= {"new", "ls", "show", "rm"}
    assert complete("picomesh", "invite", "--my") == {"--my-role"}
    assert complete("picomesh", "completion", "f") == {"fish"}


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


def test_usage_errors_name_a_way_out():
    error = UsageError("what", "hint")
    assert (str(error), error.hint, error.exit) == ("what", "hint", Exit.USAGE)
