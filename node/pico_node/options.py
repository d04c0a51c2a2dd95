"""How a node is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pico_node.names import (
    HTTP_PORT_DEFAULT,
    LOG_LEVELS,
    NODE_FILE_NAME,
    RULESETS_FOLDER_NAME,
    TOKEN_FILE_NAME,
)

__all__ = [
    "HTTP_PORT_DEFAULT", "LOG_LEVELS", "NODE_FILE_NAME", "RULESETS_FOLDER_NAME", "TOKEN_FILE_NAME",
    "UpOptions",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `picomesh up` was told. `http` port 0 means: any free one."""

    home: Path
    http: tuple[str, int] = ("127.0.0.1", HTTP_PORT_DEFAULT)
    listen: tuple[str, ...] = ()
    open_browser: bool = True
    mdns: bool = True
    bootstrap: tuple[str, ...] = ()
    log_level: str = "info"
    allowed_hosts: tuple[str, ...] = ()
    open_metrics: bool = False
    egress_allow: tuple[str, ...] = ()
    ruleset_folders: tuple[Path, ...] = ()
    watch: bool = False
    compat: bool = False
    compat_ui: Path | None = None
    public_url: str = ""
    mediator: bool = False
    mediated_by: str = ""
    mediator_admits: str = "invited"
    mediator_limits: tuple[str, ...] = ()
    engine_limits: tuple[str, ...] = ()
    compat_anywhere: bool = False
