"""A guest process: JSON-RPC over its standard input and output, every answer within a time.

Nothing it says is trusted: replies count only with the unguessable id of the request under way, lines that make
no sense are skipped, too many of them end the session.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from dspx.errors import SandboxError, SandboxStartError
from dspx.runtime import clock
from dspx.runtime.processes import LineProcess
from dspx.sandbox.tools import line
from dspx.sandbox.values import decode

AnswerTool = Callable[[str, list[Any], dict[str, Any]], Awaitable[dict[str, Any]]]

_MOST_SKIPPED = 100


class GuestGone(SandboxError):
    """The process ended, or had to be ended, before it answered."""


class Guest:
    """One running guest. `request` asks it one thing at a time."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], data_limit: int | None = None) -> None:
        try:
            self._process = LineProcess(command, env=env, data_limit=data_limit)
        except OSError as error:
            raise SandboxStartError(f"{command[0]} could not be started: {error}") from error
        self.registered: dict[str, Any] | None = None
        self.from_snapshot = False

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, seconds: float) -> None:
        """Wait until it can run code. `SandboxStartError` with what it said last where it cannot."""
        try:
            while True:
                message = await self._next(seconds)
                if message.get("method") == "ready":
                    self.from_snapshot = bool((message.get("params") or {}).get("from_snapshot"))
                    return
                if message.get("method") == "unhandled_error":
                    raise GuestGone(str(message.get("params")))
        except TimeoutError as error:
            self.kill()
            raise SandboxStartError(f"The sandbox was not ready within {seconds:g} s.") from error
        except GuestGone as error:
            self.kill()
            said = self._process.last_words
            raise SandboxStartError(f"The sandbox did not start: {error} {said}".rstrip()) from error

    async def request(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        seconds: float | None,
        answer_tool: AnswerTool | None = None,
    ) -> dict[str, Any]:
        """The reply, with `result` or `error`. `seconds` bounds the guest's own time; that of tools does not count.

        `GuestGone` where it ended, and where it had to be ended because it did not answer in time.
        """
        request_id = secrets.token_hex(16)
        try:
            await self._send({"method": method, "params": params, "id": request_id}, seconds)
            return await self._reply(request_id, seconds, answer_tool)
        except TimeoutError as error:
            self.kill()
            raise GuestGone(f"The sandbox did not answer within {seconds:g} s and was ended.") from error
        except BaseException:
            self.kill()
            raise

    async def tell(self, method: str) -> None:
        """A note, which has no answer."""
        await self._send({"method": method}, 5.0)

    def kill(self) -> None:
        self._process.kill()

    @property
    def last_words(self) -> str:
        return self._process.last_words

    async def _reply(
        self, request_id: str, seconds: float | None, answer_tool: AnswerTool | None
    ) -> dict[str, Any]:
        left, skipped = seconds, 0
        while True:
            before = clock.now()
            message = await self._next(left)
            if left is not None:
                left = max(0.0, left - (clock.now() - before))
            if message.get("method") == "tool_call" and answer_tool is not None:
                await self._answer(message, answer_tool, seconds)
            elif message.get("id") == request_id and ("result" in message or "error" in message):
                return message
            elif (skipped := skipped + 1) > _MOST_SKIPPED:
                raise GuestGone("The sandbox wrote too many lines that are no answer and was ended.")

    async def _answer(self, message: dict[str, Any], answer_tool: AnswerTool, seconds: float | None) -> None:
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        args, kwargs = params.get("args"), params.get("kwargs")
        answer = await answer_tool(
            str(params.get("name")),
            args if isinstance(args, list) else [],
            kwargs if isinstance(kwargs, dict) else {},
        )
        await self._send({**answer, "id": message.get("id")}, seconds)

    async def _send(self, message: Mapping[str, Any], seconds: float | None) -> None:
        try:
            await self._process.send(line({"jsonrpc": "2.0", **message}), seconds)
        except BrokenPipeError as error:
            raise GuestGone("The sandbox has ended.") from error

    async def _next(self, seconds: float | None) -> dict[str, Any]:
        """The next line that is a JSON object. Blank ones and the like are no message."""
        for _ in range(_MOST_SKIPPED * 10):
            text = await self._process.receive(seconds)
            if text is None:
                raise GuestGone("The sandbox ended.")
            if not text.startswith(b"{"):
                continue
            try:
                message = decode(text)
            except ValueError:
                continue
            if isinstance(message, dict):
                return message
        raise GuestGone("The sandbox wrote too much that is no answer and was ended.")
