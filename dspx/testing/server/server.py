"""The server as tests hold it: in a thread of its own, started and stopped.

with Server(model="echo", faults=Faults(rate_limit=0.2, seed=1)) as server:
    lm = dspx.LM("openai/any-name", api_base=server.api_base, api_key="none")
    lm("Hello?")
    print(server.stats.outcomes, server.requests[-1].messages)
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dspx.errors import UsageError
from dspx.testing.models import make_model
from dspx.testing.server.connection import Connection
from dspx.testing.server.faults import fault_source
from dspx.testing.server.service import Latency, Service
from dspx.testing.server.stats import Logged, Stats

if TYPE_CHECKING:
    from typing_extensions import Self

    from dspx.lm.lm import LM

_PREFIXES = {"openai": "/v1", "anthropic": "", "gemini": ""}


class Server:
    """A local server that speaks OpenAI's, Anthropic's and Google's protocols. Loopback only.

    Args:
        model: who answers: "nearest" (learns from the examples in the prompt), "schema" (anything, validly), "echo", a
            list of answers, a function of the request (sync or async), or an object with `answer(request, index)`.
            A request that names one of "nearest", "schema", "echo", or of `models`, is answered by that one.
        models: more models by name.
        faults: `Faults(...)`, a share such as 0.2, or a list such as `["rate_limit", None, 503]`, one per request.
        latency: seconds before an answer: a number, a range `(low, high)`, or a function of the request's number.
        token_delay: seconds between the events of a stream.
        port: 0 takes a free one.
        api_key: refuse requests without this key.
        log_size: how many requests `requests` keeps.
    """

    def __init__(
        self,
        model: Any = "nearest",
        *,
        models: Mapping[str, Any] | None = None,
        faults: Any = None,
        latency: Latency = 0.0,
        token_delay: float = 0.0,
        port: int = 0,
        api_key: str | None = None,
        log_size: int = 1000,
        seed: int = 0,
    ) -> None:
        self.service = Service(
            make_model(model),
            models={name: make_model(each) for name, each in (models or {}).items()},
            faults=fault_source(faults),
            latency=latency,
            token_delay=token_delay,
            api_key=api_key,
            log_size=log_size,
            seed=seed,
        )
        self._asked_port = port
        self._port: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------ starting and stopping

    def start(self) -> Self:
        """Listen, and answer from a thread in the background."""
        if self._thread is not None:
            raise UsageError(f"The server runs already, at {self.url}.")
        listening = listen(self._asked_port)
        self._port = listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listening, ready), name="dspx-test-server", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close every connection. The counters and the log stay."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        connections: set[Connection] = set()
        try:
            server = loop.run_until_complete(
                loop.create_server(
                    lambda: Connection(self.service, loop, connections), sock=listening, backlog=4096
                )
            )
            ready.set()
            loop.run_forever()
            server.close()
            for connection in list(connections):
                if connection.transport is not None:
                    connection.transport.abort()
            loop.run_until_complete(_drained(loop))
        finally:
            ready.set()
            loop.close()

    # ------------------------------------------------------------ where it is

    @property
    def port(self) -> int:
        if self._port is None:
            raise UsageError(
                "The server has not been started: `with Server() as server:`, or server.start()."
            )
        return self._port

    @property
    def url(self) -> str:
        """The root: what Anthropic's and Google's `api_base` take."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_base(self) -> str:
        """What OpenAI's `api_base` takes: the root and /v1."""
        return f"{self.url}/v1"

    def lm(self, model: str = "nearest", *, provider: str = "openai", **settings: Any) -> LM:
        """A `dspx.LM` that asks this server: over OpenAI's protocol, or "anthropic"'s or "gemini"'s."""
        from dspx.lm.lm import LM

        if provider not in _PREFIXES:
            raise UsageError(f"The server speaks {', '.join(_PREFIXES)}, not {provider!r}.")
        settings.setdefault("api_key", self.service.api_key or "none")
        return LM(f"{provider}/{model}", api_base=f"{self.url}{_PREFIXES[provider]}", **settings)

    # ------------------------------------------------------------ what happened

    @property
    def stats(self) -> Stats:
        """The counters, live."""
        return self.service.stats

    @property
    def requests(self) -> list[Logged]:
        """The requests so far, oldest first."""
        return list(self.service.log)

    def __repr__(self) -> str:
        return f"Server({self.url})" if self._thread is not None else "Server(stopped)"


def listen(port: int) -> socket.socket:
    """A socket that listens on the loopback."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"Port {port} of 127.0.0.1 cannot be had: {error}. Take another, or 0 for any."
        ) from error
    listening.listen(4096)
    listening.setblocking(False)
    return listening


async def _drained(loop: asyncio.AbstractEventLoop) -> None:
    """Let closed connections and cancelled tasks come to their end."""
    tasks = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task(loop)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
