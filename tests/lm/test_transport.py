from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from unittest import mock

import aiohttp
import httpx
import pytest
import respx

from dspx.errors import LMConfigurationError, LMTimeoutError, LMTransportError
from dspx.lm import transport
from dspx.lm.transport import Reply, ServerEvent, StatusError, Timeout, awaiting, blocking, lanes
from dspx.lm.wire.base import Call
from dspx.runtime.bridge import run
from tests.lm.conftest import Asked, Loopback, ok, raw_reply

SECRET = "sk-very-secret"


def call_to(url: str, body: bytes = b"{}") -> Call:
    return Call(url, {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}, body)


def post_sync(call: Call, **kwargs: Any) -> Reply:
    return run(transport.post(call, **kwargs))


def post_crowded(call: Call, **kwargs: Any) -> Reply:
    """A sync call as one of hundreds, whose threads are woken a few at a time."""
    with mock.patch.object(blocking, "CROWD", -1):
        return post_sync(call, **kwargs)


def post_async(call: Call, **kwargs: Any) -> Reply:
    return asyncio.run(transport.post(call, **kwargs))


async def collect(call: Call, **kwargs: Any) -> list[ServerEvent]:
    return [event async for event in transport.stream(call, **kwargs)]


def stream_sync(call: Call, **kwargs: Any) -> list[ServerEvent]:
    return run(collect(call, **kwargs))


def stream_async(call: Call, **kwargs: Any) -> list[ServerEvent]:
    return asyncio.run(collect(call, **kwargs))


every_post = pytest.mark.parametrize(
    "post", [post_sync, post_crowded, post_async], ids=["sync", "crowded", "async"]
)
both_posts = pytest.mark.parametrize("post", [post_sync, post_async], ids=["sync", "async"])
both_streams = pytest.mark.parametrize("stream", [stream_sync, stream_async], ids=["sync", "async"])
Post = Callable[..., Reply]
Stream = Callable[..., list[ServerEvent]]


# ---------------------------------------------------------------- get


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("client", [None, "httpx"])
def test_a_get_has_its_question_in_the_address_and_no_body(
    server: Loopback, is_async: bool, client: str | None
) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"[1]"))

    server.answer = answer
    given = None if client is None else httpx.Client()
    asking = transport.get(server.url("/search?query=a+b"), {"accept": "application/json"}, client=given)
    reply = asyncio.run(asking) if is_async else run(asking)
    assert (reply.status, reply.body) == (200, b"[1]")
    [asked] = server.asked
    assert (asked.target, asked.body) == ("/search?query=a+b", b"")
    assert asked.headers["accept"] == "application/json"
    assert "content-length" not in asked.headers
    if given is not None:
        given.close()


# ---------------------------------------------------------------- post


@every_post
def test_a_call_arrives_whole_and_so_does_its_reply(server: Loopback, post: Post) -> None:
    async def echo(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(asked.body[::-1], 200, {"X-Request-Id": "r1"}))

    server.answer = echo
    body = os.urandom(3_000_000)
    reply = post(call_to(server.url("/v1/x?a=b"), body))
    assert (reply.status, reply.headers["x-request-id"]) == (200, "r1")
    assert reply.body == body[::-1]
    assert server.asked[0].target == "/v1/x?a=b"
    assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert server.asked[0].headers["host"] == f"127.0.0.1:{server.port}"


@every_post
def test_an_error_status_is_a_reply(server: Loopback, post: Post) -> None:
    async def refuse(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b'{"error": "slow down"}', 429, {"retry-after": "7"}))

    server.answer = refuse
    reply = post(call_to(server.url()))
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")


def test_threads_share_their_connections(server: Loopback) -> None:
    for _ in range(3):
        post_sync(call_to(server.url()))
        thread = threading.Thread(target=post_sync, args=(call_to(server.url()),))
        thread.start()
        thread.join()
    assert server.connections == 1


def test_a_sync_call_inside_a_running_loop_works(server: Loopback) -> None:
    async def main() -> Reply:
        return post_sync(call_to(server.url()))

    assert asyncio.run(main()).status == 200


@both_posts
def test_a_thousand_calls_are_in_flight_at_once(server: Loopback, post: Post) -> None:
    waiting: list[asyncio.StreamWriter] = []

    async def hold(asked: Asked, writer: asyncio.StreamWriter) -> None:
        waiting.append(writer)
        if len(waiting) == 1000:
            for other in waiting:
                other.write(raw_reply())

    server.answer = hold
    call = call_to(server.url())
    if post is post_sync:
        with ThreadPoolExecutor(1000) as pool:
            replies = list(pool.map(lambda _: post(call, timeout=30), range(1000)))
    else:

        async def main() -> list[Reply]:
            return await asyncio.gather(*(transport.post(call, timeout=30) for _ in range(1000)))

        replies = asyncio.run(main())
    assert [reply.status for reply in replies] == [200] * 1000


def test_few_connections_stay_open_after_many_calls(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SURPLUS_SECONDS", 0.05)
    monkeypatch.setattr(blocking._lanes, "_sweeping", False)  # an earlier test's sweeper sleeps for longer

    waiting: list[asyncio.StreamWriter] = []

    async def all_at_once(asked: Asked, writer: asyncio.StreamWriter) -> None:
        waiting.append(writer)
        if len(waiting) == 20:
            for other in waiting:
                other.write(raw_reply())

    server.answer = all_at_once
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: post_sync(call_to(server.url())), range(20)))
    assert server.connections == 20
    wait_until(lambda: blocking._lanes.count() <= lanes.KEPT)
    wait_until(lambda: server.open <= lanes.KEPT)


# ---------------------------------------------------------------- connections that die


@every_post
def test_a_kept_connection_that_died_is_replaced_silently(server: Loopback, post: Post) -> None:
    async def once(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply())
        await writer.drain()
        writer.close()

    server.answer = once
    for _ in range(3):
        assert post(call_to(server.url())).status == 200
    assert len(server.asked) == 3


@pytest.mark.parametrize("is_async", [False, True])
def test_a_kept_connection_that_breaks_before_the_first_byte_is_tried_once_more(
    server: Loopback, is_async: bool
) -> None:
    async def first_of_each_connection(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) == 2:
            writer.transport.abort()
        else:
            writer.write(raw_reply())

    server.answer = first_of_each_connection

    async def main() -> None:
        assert (await transport.post(call_to(server.url()))).status == 200
        assert (await transport.post(call_to(server.url()))).status == 200

    asyncio.run(main()) if is_async else run(main())
    assert (len(server.asked), server.connections) == (3, 2)


@every_post
def test_a_new_connection_that_breaks_is_an_error_and_not_tried_again(server: Loopback, post: Post) -> None:
    async def abort(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server.answer = abort
    with pytest.raises(LMTransportError, match=f"127.0.0.1:{server.port}") as caught:
        post(call_to(server.url()))
    assert caught.value.retryable
    # aiohttp does not tell whether a connection was new, so an async call tries once more at once.
    assert len(server.asked) == (2 if post is post_async else 1)


@every_post
def test_a_reply_that_breaks_off_is_never_asked_for_again(server: Loopback, post: Post) -> None:
    async def half(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) == 1:
            writer.write(raw_reply())
            return
        writer.write(raw_reply(b"x" * 100)[:-50])
        await writer.drain()
        writer.close()

    server.answer = half
    post(call_to(server.url()))
    with pytest.raises(LMTransportError, match="ended before the reply did"):
        post(call_to(server.url()))
    assert len(server.asked) == 2


@every_post
def test_an_early_refusal_of_a_large_body_is_read(server: Loopback, post: Post) -> None:
    async def too_large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw_reply(b"too large", 413, {"connection": "close"}))
        await writer.drain()
        try:
            while await reader.read(65536):  # so that the refusal is not overtaken by a reset
                pass
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    server.serve = too_large  # type: ignore[method-assign]
    assert post(call_to(server.url(), b"x" * 300_000)).status == 413


@every_post
@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}",
    ],
    ids=["not HTTP", "a chunk without a size", "a chunk that breaks off"],
)
def test_an_answer_that_is_malformed_is_an_error(server: Loopback, post: Post, said: bytes) -> None:
    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        writer.close()

    server.answer = answer
    with pytest.raises(LMTransportError, match=f"127.0.0.1:{server.port}"):
        post(call_to(server.url()))
    assert blocking._lanes.count() == 0


def test_a_key_that_no_header_can_carry_is_said(server: Loopback) -> None:
    call = Call(server.url(), {"authorization": "Bearer sk-\u2019"}, b"{}")
    with pytest.raises(LMConfigurationError, match="typographic"):
        post_sync(call)
    assert (blocking._lanes.busy, server.connections) == (0, 0)


@every_post
def test_nobody_listening_is_said_with_the_host_and_without_the_key(post: Post) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LMTransportError, match=f"127.0.0.1:{port}: it refused") as caught:
        post(call_to(f"http://127.0.0.1:{port}/v1?key={SECRET}"))
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


@every_post
def test_a_host_without_an_address_is_named(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with pytest.raises(LMTransportError, match=r"nowhere\.invalid: its name cannot be looked up"):
        post(call_to("http://nowhere.invalid/v1"))


# ---------------------------------------------------------------- time


@every_post
def test_an_answer_that_does_not_come_in_time_is_a_timeout(server: Loopback, post: Post) -> None:
    async def never(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server.answer = never
    started = time.monotonic()
    with pytest.raises(LMTimeoutError, match=rf"127.0.0.1:{server.port} within 0\.1 s") as caught:
        post(call_to(server.url()), timeout=0.1)
    assert time.monotonic() - started < 2
    assert caught.value.retryable
    assert blocking._lanes.count() == 0


@every_post
def test_a_reply_that_drips_cannot_outlast_the_total(server: Loopback, post: Post) -> None:
    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"x" * 1000)[:-1000])
        for _ in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.01)

    server.answer = drip
    with pytest.raises(LMTimeoutError):
        post(call_to(server.url()), timeout=0.15)


@pytest.mark.parametrize("post", [post_sync, post_crowded], ids=["sync", "crowded"])
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_an_interrupt_ends_a_call_at_once_and_leaves_nothing_open(server: Loopback, post: Post) -> None:
    async def never(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)  # until the call waits
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        await asyncio.sleep(30)

    server.answer = never
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        post(call_to(server.url()))
    assert time.monotonic() - started < 5
    assert (blocking._lanes.busy, blocking._lanes.count()) == (0, 0)


def test_a_program_ends_while_threads_wait_for_answers(server: Loopback) -> None:
    async def never(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server.answer = never
    program = f"""
        import threading, time
        from dspx.lm import transport
        from dspx.lm.transport import blocking
        from dspx.lm.transport.reply import Question
        from dspx.runtime.bridge import run
        blocking.CROWD = 5
        for _ in range(20):
            post = lambda: run(transport.post(Question({server.url()!r})))
            threading.Thread(target=post, daemon=True).start()
        while blocking._lanes.busy < 20:
            time.sleep(0.01)
        time.sleep(0.1)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], timeout=20, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_cancelled_call_gives_its_connection_up(server: Loopback) -> None:
    async def never(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server.answer = never

    async def main() -> None:
        task = asyncio.create_task(transport.post(call_to(server.url())))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_loop_keeps_few_idle_connections(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaiting, "SURPLUS_SECONDS", 0.02)

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        await ok(asked, writer)

    server.answer = slow

    async def main() -> None:
        await asyncio.gather(*(transport.post(call_to(server.url())) for _ in range(12)))
        assert server.open == 12
        for _ in range(100):
            await asyncio.sleep(0.01)
            if server.open == awaiting.KEPT:
                break
        assert server.open == awaiting.KEPT
        await transport.post(call_to(server.url()))
        assert server.connections == 12

    asyncio.run(main())


@pytest.mark.filterwarnings(
    "ignore:unclosed", "ignore:Exception ignored in"
)  # asyncio's own, of such a loop's sockets
def test_a_loop_that_dies_without_notice_leaves_nothing_unclosed(server: Loopback) -> None:
    awaiting.forget_dead_loops()
    others = set(awaiting._loops)  # dspx's own background loop lives for as long as the process
    loop = asyncio.new_event_loop()
    loop.run_until_complete(transport.post(call_to(server.url())))
    assert len(set(awaiting._loops) - others) == 1
    loop.close()
    del loop
    gc.collect()
    assert post_async(call_to(server.url())).status == 200
    awaiting.forget_dead_loops()
    assert set(awaiting._loops) <= others
    gc.collect()


# ---------------------------------------------------------------- redirects, gate


def test_a_redirect_to_another_host_is_not_followed_because_of_the_key(server: Loopback) -> None:
    async def away(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"moved", 308, {"location": f"http://localhost:{server.port}/"}))

    server.answer = away
    assert post_sync(call_to(server.url())).status == 308
    assert len(server.asked) == 1


def test_a_gate_can_forbid_the_network(server: Loopback) -> None:
    def forbid(host: str) -> None:
        raise LMTransportError(f"{host} is out of bounds")

    transport.set_gate(forbid)
    try:
        with pytest.raises(LMTransportError, match="out of bounds"):
            post_sync(call_to(server.url()))
    finally:
        transport.set_gate(None)
    assert server.connections == 0


# ---------------------------------------------------------------- fork


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_process_does_not_use_its_parents_connections(server: Loopback) -> None:
    post_sync(call_to(server.url()))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if post_sync(call_to(server.url()), timeout=5).status == 200 else 1
        finally:
            os._exit(status)
    _, code = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(code) == 0
    assert server.connections == 2
    post_sync(call_to(server.url()))
    assert server.connections == 2


# ---------------------------------------------------------------- streams


async def three_events(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(
        raw_reply(
            b"", 200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}, length=False
        )
    )
    for text in (b"data: 1\n\n", b"event: x\nda", b"ta: 2\n\n", b"data: [DONE]\n\n"):
        writer.write(b"%x\r\n%s\r\n" % (len(text), text))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


EVENTS = [ServerEvent(None, "1"), ServerEvent("x", "2"), ServerEvent(None, "[DONE]")]


@pytest.mark.parametrize("is_async", [False, True])
def test_events_arrive_and_the_connection_is_kept(server: Loopback, is_async: bool) -> None:
    server.answer = three_events

    async def main() -> None:
        assert await collect(call_to(server.url())) == EVENTS
        assert await collect(call_to(server.url())) == EVENTS

    asyncio.run(main()) if is_async else run(main())
    assert server.connections == 1


@both_streams
def test_a_refused_stream_carries_the_reply(server: Loopback, stream: Stream) -> None:
    async def refuse(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"busy", 503))

    server.answer = refuse
    with pytest.raises(StatusError) as caught:
        stream(call_to(server.url()))
    assert (caught.value.reply.status, caught.value.reply.body, caught.value.status) == (503, b"busy", 503)


@both_streams
def test_a_server_that_does_not_stream_gives_one_event(server: Loopback, stream: Stream) -> None:
    assert stream(call_to(server.url())) == [ServerEvent(None, '{"ok": true}')]


@both_streams
def test_a_stream_that_breaks_off_is_an_error_after_its_events(server: Loopback, stream: Stream) -> None:
    async def cut(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(
            raw_reply(
                b"", 200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}, length=False
            )
        )
        writer.write(b"9\r\ndata: 1\n\n\r\n")
        await writer.drain()
        writer.close()

    server.answer = cut
    with pytest.raises(LMTransportError):
        stream(call_to(server.url()))


@both_streams
def test_a_pause_within_a_stream_is_limited(server: Loopback, stream: Stream) -> None:
    async def pause(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"", 200, {"content-type": "text/event-stream"}, length=False))
        writer.write(b"data: 1\n\n")
        await writer.drain()
        await asyncio.sleep(30)

    server.answer = pause
    with pytest.raises(LMTimeoutError, match="waiting for the next piece"):
        stream(call_to(server.url()), timeout=0.1)


def test_a_stream_that_nobody_reads_to_its_end_is_closed(server: Loopback) -> None:
    closed = threading.Event()

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b"", 200, {"content-type": "text/event-stream"}, length=False))
        try:
            while not writer.transport.is_closing():
                writer.write(b"data: more\n\n")
                await writer.drain()
                await asyncio.sleep(0.005)
        finally:
            closed.set()

    server.answer = endless

    async def main() -> None:
        events = transport.stream(call_to(server.url()))
        async for _ in events:
            break
        assert not closed.is_set()
        await events.aclose()

    for way in (asyncio.run, run):
        closed.clear()
        way(main())
        assert closed.wait(5)
    wait_until(lambda: server.open == 0)


# ---------------------------------------------------------------- TLS and proxies


@every_post
def test_an_untrusted_certificate_is_said_and_not_tried_again(tls_server: int, post: Post) -> None:
    with pytest.raises(LMTransportError, match="certificate is not trusted") as caught:
        post(call_to(f"https://localhost:{tls_server}/"))
    assert not caught.value.retryable


@every_post
def test_tls_carries_calls(
    tls_server: int, post: Post, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr("dspx.lm.transport.tls.context", lambda: context)
    body = os.urandom(400_000)
    for _ in range(2):
        assert post(call_to(f"https://localhost:{tls_server}/", body)).body == body[::-1]


@every_post
def test_a_plain_proxy_is_asked_for_the_whole_address(
    server: Loopback, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:word@127.0.0.1:{server.port}")
    assert post(call_to("http://api.example.com/v1")).status == 200
    assert server.asked[0].target == "http://api.example.com/v1"
    assert server.asked[0].headers["proxy-authorization"] == "Basic bWU6d29yZA=="


@every_post
def test_a_proxy_tunnels_tls(
    tls_server: int,
    proxy: int,
    post: Post,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr("dspx.lm.transport.tls.context", lambda: context)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
    assert post(call_to(f"https://localhost:{tls_server}/", b"abc")).body == b"cba"


@every_post
def test_a_proxy_behind_tls_is_spoken_to_by_httpx(
    tls_server: int,
    tls_proxy: int,
    post: Post,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr("dspx.lm.transport.tls.context", lambda: context)
    monkeypatch.setenv("https_proxy", f"https://localhost:{tls_proxy}")
    for body in (b"abc", b"def"):
        assert post(call_to(f"https://localhost:{tls_server}/", body)).body == body[::-1]


@every_post
def test_a_socks_proxy_says_what_it_wants(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("https_proxy", "socks5://me:word@proxy.example")
    with pytest.raises(LMConfigurationError, match=r"proxy\.example cannot be used: .*socksio") as caught:
        post(call_to("https://api.example.com/v1"))
    assert "word" not in str(caught.value)


# ---------------------------------------------------------------- over httpx


@both_posts
def test_respx_mocks_are_honoured(post: Post) -> None:
    with respx.mock:
        route = respx.post("https://api.example.com/v1").respond(201, json={"a": 1}, headers={"X-B": "2"})
        reply = post(call_to("https://api.example.com/v1", b"question"))
    assert (reply.status, reply.body, reply.headers["x-b"]) == (201, b'{"a":1}', "2")
    assert route.calls.last.request.content == b"question"


@both_streams
def test_respx_mocks_of_streams_are_honoured(stream: Stream) -> None:
    with respx.mock:
        respx.post("https://api.example.com/v1").respond(
            200,
            content=b"data: 1\n\nevent: x\ndata: 2\n\ndata: [DONE]\n\n",
            headers={"content-type": "text/event-stream"},
        )
        assert stream(call_to("https://api.example.com/v1")) == EVENTS
    with respx.mock:
        respx.post("https://api.example.com/v1").respond(500, content=b"oh")
        with pytest.raises(StatusError) as caught:
            stream(call_to("https://api.example.com/v1"))
    assert caught.value.reply.body == b"oh"


@both_posts
@pytest.mark.parametrize(
    ("mocked", "error"),
    [(httpx.ConnectError("x"), LMTransportError), (httpx.ReadTimeout("x"), LMTimeoutError)],
)
def test_errors_of_httpx_become_dspxs(post: Post, mocked: Exception, error: type[Exception]) -> None:
    with respx.mock:
        respx.post("https://api.example.com/v1").mock(side_effect=mocked)
        with pytest.raises(error, match=r"api\.example\.com"):
            post(call_to(f"https://api.example.com/v1?{SECRET}"))


def answer_mock(request: httpx.Request) -> httpx.Response:
    if b"stream" in request.content:
        return httpx.Response(200, content=b"data: 1\n\n", headers={"content-type": "text/event-stream"})
    return httpx.Response(200, content=request.content)


@pytest.mark.parametrize(
    "client",
    [
        httpx.MockTransport(answer_mock),
        httpx.Client(transport=httpx.MockTransport(answer_mock)),
        httpx.AsyncClient(transport=httpx.MockTransport(answer_mock)),
    ],
    ids=["transport", "client", "async client"],
)
@both_posts
def test_a_client_of_the_users_is_used(post: Post, client: Any) -> None:
    assert post(call_to("https://nowhere.invalid/"), client=client).body == b"{}"


@pytest.mark.parametrize(
    "client",
    [httpx.MockTransport(answer_mock), httpx.Client(transport=httpx.MockTransport(answer_mock))],
    ids=["transport", "client"],
)
@both_streams
def test_a_client_of_the_users_streams(stream: Stream, client: Any) -> None:
    call = call_to("https://nowhere.invalid/", b"stream")
    assert stream(call, client=client) == [ServerEvent(None, "1")]


def test_an_async_client_serves_sync_calls_too() -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer_mock))
    call = call_to("https://nowhere.invalid/", b"stream")
    assert stream_async(call, client=client) == [ServerEvent(None, "1")]
    assert stream_sync(call, client=client) == [ServerEvent(None, "1")]


def test_something_else_as_a_client_is_refused() -> None:
    with pytest.raises(LMConfigurationError, match="http_client= takes"):
        post_sync(call_to("https://nowhere.invalid/"), client=object())


@both_posts
def test_a_timeout_may_say_more_than_a_number(server: Loopback, post: Post) -> None:
    assert post(call_to(server.url()), timeout=Timeout(connect=1, read=2, total=3)).status == 200


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_large_call_is_sent_whole_again_where_a_kept_connection_had_ended() -> None:
    sent: list[int] = []

    class Session:
        async def request(self, method: str, url: str, *, data: Any, **options: Any) -> str:
            sent.append(len(data if isinstance(data, bytes) else data.read()))
            if len(sent) == 1:
                raise aiohttp.ServerDisconnectedError
            return "the reply"

    async def ask() -> Any:
        call = Call("http://127.0.0.1:9/v1", {}, b"x" * 2_000_000)
        return await awaiting._head(cast("Any", Session()), call, Timeout.of(5))

    assert asyncio.run(ask()) == "the reply"
    assert sent == [2_000_000, 2_000_000]
