"""The modules `dido` and `ursa`: the existing engine's DIDComm, which connections do here.

Their members are known, so that rulesets which name them are accepted; whoever calls one is told what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pico_engine.krl.errors import KrlRuntimeError
from pico_engine.krl.modules.member import Kind, Member

if TYPE_CHECKING:
    from pico_engine.krl.instance import Instance
    from pico_engine.krl.values import Value

_DIDO_FUNCTIONS: Final = ("pack", "unpack", "generateMessage", "createInviteUrl", "prepareQuery")
_DIDO_ACTIONS: Final = (
    "generateDID",
    "deleteDID",
    "updateDID",
    "rotateDID",
    "rotateInviteDID",
    "clearPendingRotations",
    "mapDid",
    "clearDidMap",
    "clearDidDocs",
    "storeDidDoc",
    "addRoute",
    "route",
    "send",
    "sendQuery",
    "addLabelsToChannel",
)
_URSA: Final = ("generateDID", "sig_data", "crypto_sign", "verify_signed_field", "unpack", "pack")


def _refuser(name: str) -> Callable[..., Value]:
    def refuse(run: Instance, *arguments: Value) -> Value:
        del run, arguments
        raise KrlRuntimeError(
            "Error",
            f"{name} is not available: this engine keeps keys and packs messages itself",
            "connect picos with `picomesh connect`, and send to the connection's Tx",
        )

    return refuse


def _members(domain: str, kind: Kind, names: tuple[str, ...]) -> dict[str, Member]:
    return {name: Member(kind, _refuser(f"{domain}:{name}")) for name in names}


DIDO: Final[Mapping[str, Member]] = MappingProxyType(
    _members("dido", "both", _DIDO_FUNCTIONS) | _members("dido", "both", _DIDO_ACTIONS)
)
URSA: Final[Mapping[str, Member]] = MappingProxyType(_members("ursa", "both", _URSA))
