"""HTTP requests of rulesets that run in a throw-away pico: to the hosts that were allowed, and no others."""

from __future__ import annotations

import asyncio

from pico_engine.errors import EgressDenied, FetchFailed
from pico_engine.messages import HttpCall, RulesetCall
from pico_engine.values import Json
from pico_node.outside.client import Answer, Client
from pico_node.outside.limits import OutsideLimits
from pico_node.outside.policy import Address, EgressPolicy


class OnlyThese(EgressPolicy):
    """Denies what was not named, the public internet too."""

    def admits_address(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._networks)


class Web:
    """Answers what a bench asks of the world outside (`pico_engine.harness.Outside`)."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        """`hosts`: names, addresses and networks. Raises BadRequest for what is none."""
        self._policy = OnlyThese(hosts)

    def __call__(self, call: HttpCall | RulesetCall) -> Json:
        if isinstance(call, RulesetCall):
            answer = asyncio.run(self._ask("GET", call.url, {}, None, follow=True))
            if answer.status != 200:
                raise FetchFailed(f"{call.url} answers {answer.status} {answer.reason}")
            return answer.text
        answer = asyncio.run(
            self._ask(call.method, call.url, call.headers, call.body, follow=call.follow_redirects)
        )
        return {
            "status_code": answer.status,
            "status_line": answer.reason,
            "headers": answer.headers,
            "content": answer.text,
            "content_type": answer.headers.get("content-type"),
            "content_length": len(answer.body),
        }

    async def _ask(self, method: str, url: str, headers: Json, body: str | None, *, follow: bool) -> Answer:
        client = Client(self._policy, OutsideLimits())
        try:
            return await client.request(method, url, headers, body, follow_redirects=follow)
        except EgressDenied as error:
            raise EgressDenied(f"{url}: {error}", "allow it: --allow-host HOST") from None
        finally:
            await client.close()
