import asyncio
import threading

from dspx.runtime.bridge import run
from dspx.runtime.slots import Slots


def test_no_more_are_taken_than_allowed_over_threads():
    slots, now, most, lock = Slots(), 0, 0, threading.Lock()

    def work():
        nonlocal now, most
        run(slots.take(2))
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.002)
        with lock:
            now -= 1
        slots.give()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_cancelled_wait_does_not_lose_the_turn():
    async def main():
        slots = Slots()
        await slots.take(1)
        first, second = (asyncio.ensure_future(slots.take(1)) for _ in range(2))
        await asyncio.sleep(0.001)
        slots.give()  # the turn is the first one's, which is cancelled before it can take it
        first.cancel()
        await asyncio.wait_for(second, 1)

    asyncio.run(main())


def test_a_wait_that_was_cancelled_in_the_queue_is_forgotten():
    async def main():
        slots = Slots()
        await slots.take(1)
        waiting = asyncio.ensure_future(slots.take(1))
        await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        slots.give()
        await asyncio.wait_for(slots.take(1), 1)

    asyncio.run(main())
