import multiprocessing
import sys
import threading

import pytest

from dspx.runtime.bridge import call, run
from dspx.runtime.workers import background_loop, submit


def test_an_idle_thread_is_used_again():
    submit(threading.get_ident).result()
    before = threading.active_count()
    for _ in range(50):
        submit(threading.get_ident).result()
    assert threading.active_count() <= before


def test_as_many_threads_as_there_is_work():
    barrier = threading.Barrier(50)
    futures = [submit(barrier.wait, 5) for _ in range(50)]
    assert sorted(future.result() for future in futures) == list(range(50))


def test_an_exception_reaches_the_future():
    with pytest.raises(ZeroDivisionError):
        submit(lambda: 1 / 0).result()


def _in_child(queue):
    async def user():
        return "alive"

    async def program():
        return await call(user)

    queue.put(run(program()))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_starts_its_own_threads():
    background_loop()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=10) == "alive"
    child.join()
