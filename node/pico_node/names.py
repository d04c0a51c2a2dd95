"""Names and numbers by which a node's parts and its command line find each other; imports nothing."""

from __future__ import annotations

NODE_FILE_NAME = "node.json"
"""In the home, 0600: `{"http": "http://127.0.0.1:4200", "pid": 1234}`, written by a running node."""
TOKEN_FILE_NAME = "token"  # noqa: S105 - the name of the file, not a secret
"""In the home, 0600: the owner's token."""
RULESETS_FOLDER_NAME = "rulesets"
"""In the home, 0700: Python files with the owner's own rulesets."""
HTTP_PORT_DEFAULT = 4200
"""Free of well-known services, and not the existing engine's 3000, so that both run side by side."""
LOG_LEVELS = ("debug", "info", "warning", "error")
MEDIATOR_ADMITS = ("invited", "anyone")
"""Whom a mediator serves. `anyone` gives every stranger a mailbox on the owner's disk, 64 MiB for each of
10,000, so it is never the default."""
