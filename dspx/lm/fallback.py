"""Ask another LM when one fails for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dspx.errors import (
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
)
from dspx.lm.asker import Asker
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.seen import watching


class Fallbacks:
    """Asks `routes` (name, asker) in order until one answers; `Response.route` names it.

    It moves on for errors that another LM may not have: the endpoint failing, refusing or overloaded, the
    context window, a feature. A request that the provider calls malformed, or an LM that is set up
    wrongly, is raised as it is. When a stream has begun to arrive there is no other try. If all fail,
    the last error is raised from the first, and names them all.
    """

    def __init__(self, routes: Sequence[tuple[str, Asker]]) -> None:
        self.routes = list(routes)

    async def ask(self, request: Request) -> Response:
        failed: list[tuple[str, LMError]] = []
        with watching() as seen:
            for name, asker in self.routes:
                try:
                    response = await asker.ask(request)
                except LMError as error:
                    if seen or not may_differ(error):
                        raise
                    failed.append((name, error))
                else:
                    return response if response.route is not None else replace(response, route=name)
        raise _all(failed) from (failed[0][1] if len(failed) > 1 else None)


def may_differ(error: LMError) -> bool:
    """Whether another LM may well answer what this one answered with `error`."""
    if isinstance(error, LMConfigurationError):
        return False
    return type(error) is not LMInvalidRequestError


def _all(failed: list[tuple[str, LMError]]) -> LMError:
    last = failed[-1][1]
    if len(failed) > 1:
        tried = "; ".join(f"{name}: {type(error).__name__}" for name, error in failed)
        last.message = f"{last.message} (no LM answered; {tried})"
        last.args = (last.message,)
    return last
