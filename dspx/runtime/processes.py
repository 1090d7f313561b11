"""Another program, spoken to in lines: start it, send, receive within a time, and be rid of it for certain.

A thread per process reads its output, so that waiting for a line costs a sync call and an async one the same and
works on every platform. Whatever the program does, nothing here waits for longer than it was told to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import IO, Any

from dspx.runtime.waiting import outcome
from dspx.runtime.workers import submit

_MOST_UNREAD = 1000
_KEPT_OF_STDERR = 8192
_GOING = 2.0  # seconds that a process told to end, or its last output, is waited for


class LineProcess:
    """A running program. `OSError` where it cannot be started.

    `line_limit` is the longest line in bytes that is accepted from it; a longer one ends it. `data_limit` bounds
    its private memory in bytes, where the system can (Linux).
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | None = None,
        line_limit: int = 64 << 20,
        data_limit: int | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=cwd,
            start_new_session=os.name == "posix",  # a group of its own, to be killed with its children
        )
        self._owner = os.getpid()
        if data_limit is not None:
            _limit_data(self._process.pid, data_limit)
        self._lines = _Lines()
        self._stderr = _Tail()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        _daemon(_read_lines, self._process.stdout, self._lines, line_limit)
        _daemon(_read_tail, self._process.stderr, self._stderr)
        self._end = weakref.finalize(self, _kill, self._process, self._lines, self._owner)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, and is ours: after a fork it is the parent's."""
        return self._owner == os.getpid() and self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        return self._stderr.text()

    async def send(self, line: bytes, seconds: float | None = None) -> None:
        """Write a line. `BrokenPipeError` where nobody reads any more, `TimeoutError` where it is not read in time."""
        await outcome(submit(self._write, line), seconds)

    async def receive(self, seconds: float | None = None) -> bytes | None:
        """The next line that it wrote; None at its end. `TimeoutError` when none came within `seconds`."""
        while True:
            line, more = self._lines.take()
            if more is None:
                return line
            await outcome(more, seconds)

    def kill(self) -> None:
        """End it, and whatever it started."""
        self._end()

    def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(line + b"\n")
            stdin.flush()
        except ValueError as error:  # closed by `kill`
            raise BrokenPipeError(str(error)) from error


class _Lines:
    """Lines between the thread that reads them and whoever takes them."""

    def __init__(self) -> None:
        self._space = threading.Condition()
        self._items: deque[bytes] = deque()
        self._more: Future[None] | None = None
        self._ended = False

    def put(self, line: bytes) -> bool:
        """False once nobody takes any more."""
        with self._space:
            while len(self._items) >= _MOST_UNREAD and not self._ended:
                self._space.wait()
            if self._ended:
                return False
            self._items.append(line)
            self._wake()
        return True

    def take(self) -> tuple[bytes | None, Future[None] | None]:
        """A line, or None at the end, and None; or None and what to wait for."""
        with self._space:
            if self._items:
                self._space.notify_all()
                return self._items.popleft(), None
            if self._ended:
                return None, None
            if self._more is None or self._more.cancelled():
                self._more = Future()
            return None, self._more

    def end(self) -> None:
        with self._space:
            self._ended = True
            self._space.notify_all()
            self._wake()

    def _wake(self) -> None:
        more, self._more = self._more, None
        if more is not None and more.set_running_or_notify_cancel():
            more.set_result(None)


class _Tail:
    """The last few thousand bytes of a stream."""

    def __init__(self) -> None:
        self._kept = b""
        self.ended = threading.Event()

    def put(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-_KEPT_OF_STDERR:]

    def text(self) -> str:
        self.ended.wait(_GOING)
        return self._kept.decode("utf-8", "replace").strip()


def _daemon(target: Any, *args: Any) -> None:
    threading.Thread(target=target, args=args, daemon=True, name="dspx-process").start()


def _read_lines(stream: IO[bytes], lines: _Lines, limit: int) -> None:
    try:
        with stream:
            while line := stream.readline(limit):
                if (len(line) >= limit and not line.endswith(b"\n")) or not lines.put(line.rstrip(b"\r\n")):
                    break
    except (OSError, ValueError):  # closed under our hands
        pass
    finally:
        lines.end()


def _read_tail(stream: IO[bytes], tail: _Tail) -> None:
    try:
        with stream:
            while data := os.read(stream.fileno(), 4096):
                tail.put(data)
    except (OSError, ValueError):
        pass
    finally:
        tail.ended.set()


def _kill(process: subprocess.Popen[bytes], lines: _Lines, owner: int) -> None:
    if owner != os.getpid():
        return
    lines.end()
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)  # not only it: its children may hold the pipes open
        except (ProcessLookupError, PermissionError):
            pass
    elif process.poll() is None:
        process.kill()
    try:
        process.wait(_GOING)
    except subprocess.TimeoutExpired:
        pass
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            pass


def _limit_data(pid: int, size: int) -> None:
    if sys.platform == "linux":
        import resource

        try:
            resource.prlimit(pid, resource.RLIMIT_DATA, (size, size))
        except (OSError, ValueError):  # it is gone already, or the limit above ours is lower
            pass


def output_of(command: Sequence[str], *, env: Mapping[str, str] | None = None, seconds: float) -> str:
    """What a program that soon ends writes to standard output. `OSError` where it cannot run, fails or takes too long."""
    try:
        done = subprocess.run(
            list(command),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} was still running after {seconds:g} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()[-2000:]
        raise OSError(f"{command[0]} failed with status {error.returncode}: {said}") from error
    return done.stdout.decode("utf-8", "replace")
