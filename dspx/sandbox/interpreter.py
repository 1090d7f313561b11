"""What every interpreter over a guest process does: start it, run code in it, answer its tools, start it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from dspx.core.events import aobserve
from dspx.errors import CodeExecutionError, SandboxError, SandboxTimeout
from dspx.runtime.bridge import run
from dspx.runtime.slots import Slots
from dspx.sandbox import tools as sandbox_tools
from dspx.sandbox.contract import Execution
from dspx.sandbox.guest import Guest, GuestGone
from dspx.sandbox.values import variables_json

if TYPE_CHECKING:
    from typing_extensions import Self

_LOST = -32010
_SYNTAX = -32000
_OF_THE_CODE = range(-32099, -31999)
_NO_TIME = 3600.0 * 24

_in_use: ContextVar[tuple[int, ...]] = ContextVar("dspx_interpreters_in_use", default=())
"""The interpreters whose code, at this place, is waiting for one of its tools."""


class Interpreter:
    """Runs Python code in another process, one piece at a time; variables last from one to the next.

    Threads and tasks may share one: they take turns. `execute` and `run` start it where that has not been done.
    It can be called, and used in `with` and `async with`. When the process is lost (`error.state_lost`) the next
    code starts a fresh one.
    """

    start_timeout: float = 60.0
    margin: float = 5.0
    """Seconds beyond the code's own after which a guest that has not answered is ended."""

    def __init__(
        self,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: Sequence[Mapping[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
        timeout: float | None = None,
    ) -> None:
        self.tools: dict[str, Callable[..., Any]] = dict(tools or {})
        self.output_fields = list(output_fields) if output_fields is not None else None
        self.callbacks = list(callbacks or ())
        self.timeout = timeout
        self._guest: Guest | None = None
        self._turn = Slots()

    # ------------------------------------------------------------ what users call

    def start(self) -> None:
        """Start the process now, rather than with the first code. Once is enough, twice does no harm."""
        run(self.astart())

    async def astart(self) -> None:
        await self._in_turn(self._started)

    def execute(self, code: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Run code: its last expression's value, else what it printed, or a `FinalOutput` once it submits.

        `variables` are assigned first. `SyntaxError` and `CodeExecutionError` (of which `SandboxTimeout` is one)
        for the code's failures, `SandboxError` for the sandbox's.
        """
        return run(self.aexecute(code, variables))

    __call__ = execute

    async def aexecute(self, code: str, variables: Mapping[str, Any] | None = None) -> Any:
        return (await self.arun(code, variables)).as_output()

    def run(
        self, code: str, variables: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Execution:
        """Run code and give all that came of it: the value and what was printed, side by side."""
        return run(self.arun(code, variables, timeout=timeout))

    async def arun(
        self, code: str, variables: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Execution:
        seconds = self.timeout if timeout is None else timeout
        return await aobserve(
            "interpreter_execute",
            self,
            lambda: {"code": code, "variables": None if variables is None else dict(variables)},
            self._in_turn,
            lambda: self._executed(code, variables_json(variables), seconds),
            shown=Execution.as_output,
        )

    def interrupt(self) -> None:
        """End the code under way, from another thread: it raises `KeyboardInterrupt` in there. Variables are kept."""
        run(self.ainterrupt())

    async def ainterrupt(self) -> None:
        guest = self._guest
        if guest is not None and guest.alive:
            await guest.tell("interrupt")

    def shutdown(self) -> None:
        """End the process. Its variables are gone."""
        run(self.ashutdown())

    async def ashutdown(self) -> None:
        if self._guest is not None:
            await aobserve("interpreter_shutdown", self, dict, self._stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ashutdown()

    # ------------------------------------------------------------ what an interpreter supplies

    async def _launch(self) -> Guest:
        """A guest under way; it need not be ready."""
        raise NotImplementedError

    async def _ready(self, guest: Guest) -> None:
        """What to do with a fresh guest before any code runs."""

    async def _succeeded(self, guest: Guest) -> None:
        """What to do when code has run without an error."""

    # ------------------------------------------------------------ one turn

    async def _in_turn(self, fn: Callable[[], Any]) -> Any:
        if id(self) in _in_use.get():
            raise SandboxError(
                "A tool cannot run code in the interpreter whose code called it; give the tool one of its own."
            )
        await self._turn.take(1)
        token = _in_use.set((*_in_use.get(), id(self)))
        try:
            return await fn()
        finally:
            _in_use.reset(token)
            self._turn.give()

    async def _started(self) -> Guest:
        guest = self._guest
        if guest is not None and guest.alive:
            return guest
        if guest is not None:
            guest.kill()
        return await aobserve("interpreter_startup", self, dict, self._start, shown=lambda _: None)

    async def _start(self) -> Guest:
        guest = self._guest = await self._launch()
        try:
            await guest.ready(self.start_timeout)
            await self._ready(guest)
        except BaseException:
            guest.kill()
            self._guest = None
            raise
        return guest

    async def _stop(self) -> None:
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.kill()

    async def _executed(self, code: str, variables: str, seconds: float | None) -> Execution:
        guest = await self._started()
        await self._register(guest)
        params: dict[str, Any] = {"code": code, "variables": variables}
        if seconds is not None:
            params["timeout"] = seconds
        try:
            reply = await guest.request(
                "execute",
                params,
                seconds=_NO_TIME if seconds is None else seconds + self.margin,
                answer_tool=self._answer_tool,
            )
        except GuestGone as error:
            raise _gone(error, guest, seconds) from error
        if _is_lost(reply):
            guest.kill()
        execution = read_reply(reply, seconds)
        await self._succeeded(guest)
        return execution

    async def _register(self, guest: Guest) -> None:
        wanted = sandbox_tools.registration(self.tools, self.output_fields)
        if wanted == (guest.registered or {"tools": [], "outputs": []}):
            return
        reply = await guest.request("register", wanted, seconds=30.0)
        if "error" in reply:
            raise SandboxError(f"The sandbox refused the tools: {reply['error'].get('message')}")
        guest.registered = wanted

    async def _answer_tool(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        return await aobserve(
            "interpreter_tool_call",
            self,
            lambda: {"tool_name": name, "args": args, "kwargs": kwargs},
            sandbox_tools.reply,
            self.tools,
            name,
            args,
            kwargs,
            shown=_tool_output,
        )


# ---------------------------------------------------------------- replies


def read_reply(reply: Mapping[str, Any], seconds: float | None) -> Execution:
    """What a reply to `execute` says; raises what the code raised."""
    error = reply.get("error")
    if isinstance(error, dict):
        raise _error(error, bool(reply.get("timed_out")), seconds)
    result = reply.get("result")
    if not isinstance(result, dict):
        raise SandboxError(f"The sandbox gave an answer that is none: {str(reply)[:200]}")
    stdout = str(result.get("stdout") or "")
    if isinstance(final := result.get("final"), dict):
        return Execution(stdout=stdout, final=final)
    value = result.get("output") if result.get("has_value") else None
    shown = result.get("repr")
    return Execution(value, stdout, shown if isinstance(shown, str) else None)


def _is_lost(reply: Mapping[str, Any]) -> bool:
    error = reply.get("error")
    return isinstance(error, dict) and error.get("code") == _LOST


def _error(error: Mapping[str, Any], timed_out: bool, seconds: float | None) -> Exception:
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    kind, message = str(data.get("type") or "Error"), str(error.get("message") or "")
    code = error.get("code")
    if code == _SYNTAX:
        return SyntaxError(message)
    about: dict[str, Any] = {
        "type": kind,
        "args_given": data.get("args") if isinstance(data.get("args"), list) else [],
        "traceback": str(data.get("traceback") or ""),
        "stdout": str(data.get("stdout") or ""),
        "state_lost": code == _LOST,
    }
    if timed_out and (code == _LOST or kind in ("KeyboardInterrupt", "CancelledError")):
        return SandboxTimeout(_took_too_long(seconds, lost=code == _LOST), **about)
    if code == _LOST:
        return CodeExecutionError(f"{message}. {_STARTS_AFRESH}", **about)
    if code not in _OF_THE_CODE:
        return SandboxError(f"The sandbox could not run the code: {message}")
    if kind == message or not message:
        return CodeExecutionError(kind, **about)
    return CodeExecutionError(f"{kind}: {message}", **about)


_STARTS_AFRESH = "All variables are lost; the next code starts afresh."


def _took_too_long(seconds: float | None, *, lost: bool) -> str:
    after = _STARTS_AFRESH if lost else "Variables are kept."
    return f"The code took longer than {seconds or 0:g} s and was stopped. {after}"


def _gone(error: GuestGone, guest: Guest, seconds: float | None) -> CodeExecutionError:
    if isinstance(error.__cause__, TimeoutError):
        return SandboxTimeout(_took_too_long(seconds, lost=True), type="SandboxTimeout", state_lost=True)
    said = guest.last_words
    what = "ran out of memory" if "memory" in said.lower() else "ended"
    return CodeExecutionError(
        f"The interpreter {what} while it ran the code. {_STARTS_AFRESH}",
        type="SandboxEnded",
        state_lost=True,
    )


def _tool_output(reply: Mapping[str, Any]) -> Any:
    return reply.get("result", {}).get("value") if "result" in reply else reply.get("error")
