"""A thousand calls in flight, ten thousand examples, and Ctrl-C in the middle."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

import dspx
from dspx.lm.request import Request
from dspx.lm.response import Output, Response
from dspx.testing.server import Server
from tests.acceptance.processes import start

IN_FLIGHT = 1000
LATENCY = 0.3
ROUNDS = 2


def efficiency(seconds: float) -> float:
    """What share of the time the endpoint was used to the full."""
    return ROUNDS * LATENCY / seconds


def report(what: str, server: Server, seconds: float) -> None:
    print(
        f"\n{IN_FLIGHT} {what}: {ROUNDS * IN_FLIGHT} calls of {LATENCY} s in {seconds:.2f} s, "
        f"{server.stats.peak} in flight at most, efficiency {efficiency(seconds):.2f}"
    )


@pytest.mark.slow
def test_a_thousand_threads_have_a_thousand_calls_in_flight() -> None:
    with Server(model="echo", latency=LATENCY) as server, ThreadPoolExecutor(IN_FLIGHT) as pool:
        lm = server.lm("echo", cache=False)
        lm("warm")
        list(pool.map(lambda _: time.sleep(0.1), range(IN_FLIGHT)))
        started = time.monotonic()
        assert all(pool.map(lambda i: lm(f"{i}"), range(ROUNDS * IN_FLIGHT)))
        seconds = time.monotonic() - started
        report("threads", server, seconds)
        assert server.stats.peak > 200
        assert seconds < 12


@pytest.mark.slow
def test_a_thousand_tasks_have_a_thousand_calls_in_flight() -> None:
    async def ask(lm: dspx.LM) -> float:
        await lm.acall("warm")

        async def one(i: int) -> None:
            for round_ in range(ROUNDS):
                await lm.acall(f"{i} {round_}")

        started = time.monotonic()
        await asyncio.gather(*(one(i) for i in range(IN_FLIGHT)))
        return time.monotonic() - started

    with Server(model="echo", latency=LATENCY) as server:
        seconds = asyncio.run(ask(server.lm("echo", cache=False)))
        report("tasks", server, seconds)
        assert server.stats.peak > 200
        assert seconds < 12


# ---------------------------------------------------------------- ten thousand examples


class Instant(dspx.BaseLM):
    """Answers at once, a little."""

    def __init__(self) -> None:
        super().__init__("instant", cache=False)

    async def generate(self, request: Request) -> Response:
        return Response(self.model, (Output("[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]"),))


def evaluated(count: int) -> float:
    """Seconds per example of an evaluation over so many."""
    devset = [dspx.Example(question=f"{i}", answer="yes").with_inputs("question") for i in range(count)]
    evaluate = dspx.Evaluate(devset=devset, metric=lambda e, p, t=None: e.answer == p.answer, num_threads=4)
    with dspx.context(lm=Instant(), max_history_size=100):
        started = time.perf_counter()
        result = evaluate(dspx.Predict("question -> answer"))
        seconds = time.perf_counter() - started
    assert (result.score, result.n) == (100.0, count)
    return seconds / count


@pytest.mark.slow
def test_ten_thousand_examples_take_ten_times_as_long_as_one_thousand() -> None:
    evaluated(200)
    small, large = min(evaluated(1_000) for _ in range(2)), evaluated(10_000)
    print(f"\nper example: {1e6 * small:.0f} µs of 1,000, {1e6 * large:.0f} µs of 10,000")
    assert large < 3 * small


@pytest.mark.slow
def test_an_evaluation_leaves_nothing_in_memory_but_its_result() -> None:
    with dspx.context(lm=Instant(), disable_history=True):
        evaluated(500)
        gc.collect()
        tracemalloc.start()
        try:
            start_bytes, _ = tracemalloc.get_traced_memory()
            for _ in range(3):
                evaluated(1_000)
            gc.collect()
            left = tracemalloc.get_traced_memory()[0] - start_bytes
            devset = [dspx.Example(question=f"{i}").with_inputs("question") for i in range(2_000)]
            held = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            result = dspx.Evaluate(devset=devset, metric=lambda e, p, t=None: 1.0, num_threads=4)(
                dspx.Predict("question -> answer")
            )
            gc.collect()
            kept, peak = (size - held for size in tracemalloc.get_traced_memory())
        finally:
            tracemalloc.stop()
    print(
        f"\n{left / 1000:.0f} kB left after 3,000 examples; "
        f"{kept / result.n:.0f} bytes an example in a result, {peak / result.n:.0f} at the peak"
    )
    assert left < 300_000
    assert kept / result.n < 4_000
    assert peak < kept + 2_000_000


# ---------------------------------------------------------------- Ctrl-C

EVALUATE = """
    import sys, time, dspx
    from dspx.lm.request import Request
    from dspx.lm.response import Output, Response

    class Slow(dspx.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            print("asked", flush=True)
            time.sleep(0.05)
            return "[[ ## answer ## ]]\\nyes\\n\\n[[ ## completed ## ]]"

    dspx.configure(lm=Slow("slow", cache=False))
    devset = [dspx.Example(question=f"{i}", answer="yes").with_inputs("question") for i in range(10_000)]
    evaluate = dspx.Evaluate(devset=devset, metric=lambda e, p, t=None: e.answer == p.answer,
                             num_threads=int(sys.argv[1]), display_progress=True)
    result = evaluate(dspx.Predict("question -> answer"))
    print("RESULT", result.interrupted, result.n, result.score, result.complete)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to another process")
@pytest.mark.parametrize("threads", [1, 8])
def test_ctrl_c_gives_what_is_done_and_ends_well(threads: int) -> None:
    process = start(EVALUATE, threads)
    assert process.stdout is not None
    for _ in range(4 * threads):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert time.monotonic() - sent < 5
    assert "Traceback" not in err
    _, interrupted, count, score, complete = out.strip().splitlines()[-1].split()
    assert (interrupted, score, complete) == ("True", "100.0", "False")
    assert 1 <= int(count) < 10_000
    assert f"Interrupted after {count} of 10000 examples" in err
