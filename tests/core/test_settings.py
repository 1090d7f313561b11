import asyncio
import threading

import pytest

import dspx
from dspx.errors import UsageError
from dspx.runtime.fanout import bind_context


@pytest.fixture(autouse=True)
def _restore():
    before = dspx.settings.copy()
    yield
    dspx.configure(**before)


def test_any_thread_and_any_task_may_configure():
    thread = threading.Thread(target=lambda: dspx.configure(num_threads=3))
    thread.start()
    thread.join()
    assert dspx.settings.num_threads == 3

    async def main():
        await asyncio.gather(*(asyncio.create_task(configure(n)) for n in (4, 5)))

    async def configure(n):
        dspx.configure(num_threads=n)

    asyncio.run(main())
    assert dspx.settings.num_threads in (4, 5)


def test_contexts_nest_and_end():
    with dspx.context(num_threads=1, max_errors=2):
        with dspx.context(num_threads=9):
            assert (dspx.settings.num_threads, dspx.settings.max_errors) == (9, 2)
        assert dspx.settings.num_threads == 1
    assert dspx.settings.num_threads == 8


def test_a_context_holds_only_what_it_was_given():
    with dspx.context(num_threads=1):
        dspx.configure(max_errors=77, num_threads=50)
        assert dspx.settings.max_errors == 77
        assert dspx.settings.num_threads == 1
    assert dspx.settings.num_threads == 50


def test_a_snapshot_does_not_change():
    taken = dspx.settings.snapshot()
    dspx.configure(max_errors=99)
    assert taken["max_errors"] != 99


def test_settings_read_as_attributes_keys_and_with_a_default():
    dspx.settings.flavour = "salt"
    assert dspx.settings["flavour"] == dspx.settings.flavour == "salt"
    assert "flavour" in dspx.settings
    assert dspx.settings.get("nothing", 3) == 3
    with pytest.raises(AttributeError, match="nothing"):
        _ = dspx.settings.nothing


def test_an_lm_that_is_a_string_is_refused_with_what_to_write():
    with pytest.raises(UsageError, match=r"dspx.LM\('openai/gpt-4o'\)"):
        dspx.configure(lm="openai/gpt-4o")


def test_a_context_shared_by_threads_never_pairs_old_values_with_a_new_configuration():
    wrong = []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            before = newest[0]
            if dspx.settings.num_threads < before:
                wrong.append(before)

    newest = [1]
    dspx.configure(num_threads=1)
    with dspx.context(max_errors=3):
        readers = [threading.Thread(target=bind_context(read)) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(2, 300):
            dspx.configure(num_threads=number)
            newest[0] = number
        stop.set()
        for reader in readers:
            reader.join()
        assert (dspx.settings.num_threads, dspx.settings.max_errors) == (299, 3)
    assert wrong == []
