"""All commands, in the order in which help shows them."""

from __future__ import annotations

from pico_node.cli.commands import (
    channels,
    completion,
    connections,
    krl_check,
    krl_fmt,
    krl_run,
    krl_test,
    messages,
    node,
    picos,
    rulesets,
    watching,
)
from pico_node.cli.grammar import Option
from pico_node.cli.kinds import FLAG, PATH, WHOLE

TIMEOUT_DEFAULT_S = 60
"""Longer than a turn may wait for others; a node that is silent for longer has a fault."""

COMMON = (
    Option("home", "the node's directory", PATH, value="DIR"),
    Option("json", "print one JSON value for programs (docs/reference/cli-json.md)", FLAG, default=False),
    Option("timeout", "seconds to wait for the node", WHOLE, default=TIMEOUT_DEFAULT_S, value="SECONDS"),
)
"""Options that every command has."""

GROUPS = {
    "pico": "make, list, show and delete picos",
    "ruleset": "install, list and uninstall rulesets",
    "channel": "make, list and delete channels",
    "krl": "check, format, run and test rulesets in KRL, without a node",
}
"""Words that need another word behind them."""

COMMANDS = (
    *node.COMMANDS,
    *picos.COMMANDS,
    *rulesets.COMMANDS,
    *channels.COMMANDS,
    *messages.COMMANDS,
    *connections.COMMANDS,
    *watching.COMMANDS,
    *krl_check.COMMANDS,
    *krl_fmt.COMMANDS,
    *krl_run.COMMANDS,
    *krl_test.COMMANDS,
    *completion.COMMANDS,
)
