"""The guest as an ordinary Python process: the same protocol, and none of the walls.

    python -I local.py

Standard input and output are the host's alone: code that prints, or starts programs that do, writes elsewhere.
"""

import _thread
import asyncio
import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path

LOST = -32010
GRACE = 1.0  # seconds to react to an interrupt


def main():
    lines, answers = _private_streams()
    sys.path.insert(0, str(Path(__file__).parent))
    import session

    sys.path.pop(0)
    host = Host(lines, answers)
    guest = session.Session()
    guest.connect(host.call_tool)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    host.say({"method": "ready", "params": {"from_snapshot": False}})
    for request in host.requests():
        host.answer(request, guest)


class Host:
    """The other side: a thread listens to it, so that it can interrupt the code and answer tools of any thread."""

    def __init__(self, lines, answers):
        self.lines = lines
        self.answers = answers
        self.writing = threading.Lock()
        self.queue = queue.SimpleQueue()
        self.calls = {}
        self.count = 0
        self.watch = None
        threading.Thread(target=self._listen, daemon=True).start()

    def requests(self):
        """The requests, one after the other, until the host is gone."""
        while (request := self.queue.get()) is not None:
            yield request

    def say(self, message):
        self.write(json.dumps({"jsonrpc": "2.0", **message}))

    def write(self, text):
        with self.writing:
            self.answers.write(text.encode("ascii") + b"\n")
            self.answers.flush()

    def call_tool(self, text):
        """Ask the host, from whichever thread the code is in; the time that takes does not count."""
        with self.writing:
            self.count += 1
            call = f"tc_{int(time.time() * 1000)}_{self.count}"
        reply = self.calls[call] = queue.SimpleQueue()
        watch = self.watch
        if watch is not None:
            watch.pause()
        self.write(f'{{"jsonrpc":"2.0","method":"tool_call","params":{text},"id":"{call}"}}')
        try:
            return reply.get()
        finally:
            if watch is not None:
                watch.resume()

    def answer(self, request, guest):
        method, params, members = request.get("method"), request.get("params") or {}, None
        try:
            if method == "execute":
                members = self._executed(guest, params)
            elif method == "register":
                members = '"result":' + guest.register(json.dumps(params))
            else:
                members = _failed(-32601, f"unknown method: {method}", "RuntimeError")
        except KeyboardInterrupt:  # it came too late for the code
            members = _failed(-32099, "KeyboardInterrupt", "KeyboardInterrupt")
        except BaseException as error:
            members = _failed(LOST, f"the interpreter broke: {error!r}", "Lost")
        self.write(f'{{"jsonrpc":"2.0",{members},"id":{json.dumps(request.get("id"))}}}')
        if members.startswith(f'"error": {{"code": {LOST}'):
            os._exit(3)

    def _executed(self, guest, params):
        seconds = params.get("timeout")
        self.watch = watch = Watch(seconds, lambda: self._interrupt(guest), lambda: self._gave_up(seconds))
        try:
            said = guest.execute(params["code"], params.get("variables", "{}"))
            if asyncio.iscoroutine(said):
                said = asyncio.run(_kept(guest, said))
        finally:
            self.watch = None
            watch.stop()
        return said.strip()[1:-1] + (',"timed_out":true' if watch.ran_out else "")

    def _interrupt(self, guest):
        loop = getattr(guest, "loop", None)
        if loop is not None and loop.is_running() and guest.task is not None:
            loop.call_soon_threadsafe(guest.cancel)
        else:
            _raise_in_main_thread()

    def _gave_up(self, seconds):
        message = f"the code ran for more than {seconds} s and could not be interrupted"
        self.write(
            f'{{"jsonrpc":"2.0",{_failed(LOST, message, "Lost")},"timed_out":true,"id":{json.dumps(self.asked)}}}'
        )
        os._exit(3)

    def _listen(self):
        for line in self.lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            method = message.get("method")
            if method == "shutdown":
                break
            if method == "interrupt":
                _raise_in_main_thread()
            elif method is not None:
                self.asked = message.get("id")
                self.queue.put(message)
            elif (call := self.calls.pop(message.get("id"), None)) is not None:
                call.put(line)
        os._exit(0)


class Watch:
    """The code's own time: `on_soft` when it is over, again and again, and `on_hard` a grace later."""

    def __init__(self, seconds, on_soft, on_hard):
        self.left = seconds
        self.on_soft, self.on_hard = on_soft, on_hard
        self.ran_out = False
        self.lock = threading.Condition()
        self.paused = 0
        self.stopped = False
        if seconds is not None:
            threading.Thread(target=self._run, daemon=True).start()

    def pause(self):
        with self.lock:
            self.paused += 1
            self.lock.notify()

    def resume(self):
        with self.lock:
            self.paused -= 1
            self.lock.notify()

    def stop(self):
        with self.lock:
            self.stopped = True
            self.lock.notify()

    def _run(self):
        with self.lock:
            while self.left > 0 and not self.stopped:
                before = time.monotonic()
                running = self.paused == 0
                self.lock.wait(self.left if running else None)
                if running:
                    self.left -= time.monotonic() - before
            end = time.monotonic() + GRACE
            while not self.stopped and time.monotonic() < end:
                self.ran_out = True
                self.on_soft()
                self.lock.wait(0.1)
            if not self.stopped:
                self.on_hard()


async def _kept(guest, coroutine):
    guest.loop = asyncio.get_running_loop()
    return await coroutine


def _raise_in_main_thread():
    """A KeyboardInterrupt, which ends a sleep too where there are signals."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _failed(code, message, kind):
    return '"error": ' + json.dumps(
        {"code": code, "message": message, "data": {"type": kind, "args": [message]}}
    )


def _private_streams():
    """The protocol's own streams; what the code, or a program that it starts, reads is empty, and writes is gone."""
    lines, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return lines, answers


if __name__ == "__main__":
    main()
