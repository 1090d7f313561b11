from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dspx
from dspx.compat.callbacks import with_callbacks


class Heard(dspx.BaseCallback):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.seen.append(("module", inputs))

    def on_module_end(self, call_id: str, outputs: Any, exception: Exception | None = None) -> None:
        self.seen.append(("end", outputs, exception))

    def on_tool_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.seen.append(("tool", inputs))

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.seen.append(("lm", inputs))

    def on_adapter_format_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.seen.append(("format", inputs))


class Worker:
    callbacks: list[Any]

    def __init__(self, *callbacks: Any) -> None:
        self.callbacks = list(callbacks)

    @with_callbacks
    def add(self, a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    @with_callbacks
    async def aadd(self, a: int, b: int = 2) -> int:
        await asyncio.sleep(0)
        return a + b

    @with_callbacks
    def fails(self) -> None:
        raise KeyError("boom")


def test_a_methods_calls_are_told_with_its_arguments():
    heard = Heard()
    assert Worker(heard).add(1) == 3
    assert heard.seen == [("module", {"a": 1, "b": 2}), ("end", 3, None)]
    assert Worker.add.__doc__ == "Add."


def test_an_async_methods_too():
    heard = Heard()
    assert asyncio.run(Worker(heard).aadd(1, b=5)) == 6
    assert heard.seen == [("module", {"a": 1, "b": 5}), ("end", 6, None)]


def test_an_error_is_told_and_raised():
    heard = Heard()
    with pytest.raises(KeyError, match="boom"):
        Worker(heard).fails()
    assert type(heard.seen[-1][2]) is KeyError


def test_the_class_decides_which_hooks_hear_of_it():
    class Tool(Worker): ...

    class Model(dspx.BaseLM):
        @with_callbacks
        def add(self, a: int) -> int:
            return a

    class Layout(dspx.Adapter):
        @with_callbacks
        def format(self, signature: Any, demos: Any, inputs: Any) -> Any:
            return []

    heard = Heard()
    Tool(heard).add(1)
    Model("m", callbacks=[heard]).add(1)
    Layout(callbacks=[heard]).format(None, [], {})
    assert [seen[0] for seen in heard.seen if seen[0] != "end"] == ["tool", "lm", "format"]


def test_where_nobody_listens_the_method_just_runs():
    assert Worker().add(1) == 3
