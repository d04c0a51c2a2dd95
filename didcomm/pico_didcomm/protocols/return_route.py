"""The header `return_route` (DIF extension): whether answers may come back on the connection of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pico_didcomm.errors import BadMessage
from pico_didcomm.message import ID_CHARS_MAX, Message

RETURN_ROUTE: Final = "return_route"
RETURN_ROUTE_THREAD: Final = "return_route_thread"

Mode = Literal["none", "all", "thread"]


@dataclass(frozen=True, slots=True)
class ReturnRoute:
    """What may go back: nothing, all messages for the sender, or those of one thread."""

    mode: Mode = "none"
    thread: str | None = None

    def carries(self, message: Message) -> bool:
        """Whether `message`, for the same DID, may go back on the connection."""
        if self.mode == "thread":
            return self.thread in (message.thid, message.pthid)
        return self.mode == "all"

    def headers(self) -> dict[str, Any]:
        """The headers that ask for it."""
        if self.mode == "thread":
            return {RETURN_ROUTE: "thread", RETURN_ROUTE_THREAD: self.thread}
        return {RETURN_ROUTE: self.mode}


ALL: Final = ReturnRoute("all")


def return_route_of(message: Message) -> ReturnRoute:
    """What a message's header asks for; `none` where there is no header. BadMessage for another value."""
    mode = message.extra.get(RETURN_ROUTE)
    if mode is None or mode == "none":
        return ReturnRoute()
    if mode == "all":
        return ALL
    if mode != "thread":
        raise BadMessage("return_route is neither none, all nor thread")
    thread = message.extra.get(RETURN_ROUTE_THREAD)
    if not isinstance(thread, str) or not 0 < len(thread) <= ID_CHARS_MAX:
        raise BadMessage("return_route thread without return_route_thread")
    return ReturnRoute("thread", thread)
