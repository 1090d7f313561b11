import asyncio

from dspx.runtime import clock
from dspx.runtime.bridge import run


def test_a_fake_clock_stands_still_until_somebody_sleeps():
    with clock.use(clock.FakeClock(100.0)) as fake:
        run(clock.sleep(3))
        asyncio.run(clock.sleep(4))
        assert clock.now() == 107.0
        assert fake.slept == [3, 4]


def test_sleeping_in_an_async_call_lets_other_tasks_run():
    async def main():
        order = []

        async def other():
            order.append("other")

        task = asyncio.ensure_future(other())
        await clock.sleep(0.001)
        order.append("slept")
        await task
        return order

    assert asyncio.run(main()) == ["other", "slept"]
