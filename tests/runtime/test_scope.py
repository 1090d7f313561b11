import asyncio

from dspx.runtime.scope import Scoped


def test_a_value_holds_for_the_block_and_its_tasks():
    flavour = Scoped("flavour", "none")

    async def main():
        with flavour.using("salt"):
            task = asyncio.ensure_future(read())
        return await task, flavour.get()

    async def read():
        return flavour.get()

    assert asyncio.run(main()) == ("salt", "none")
