"""An agent's steps so far as one text, as the adapter in force writes inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from dspx.core.candidate import bound
from dspx.core.fields import InputField, OutputField
from dspx.core.settings import snapshot
from dspx.core.signature import make_signature
from dspx.modules.predict import default_adapter


class TrajectoryText:
    """Writes a growing trajectory. What was written of a step is kept, so each step costs what is new in it."""

    def __init__(self, leaf: Any) -> None:
        self._adapter = _adapter_for(leaf)
        self._piece = _piece_writer(self._adapter)
        self._written: dict[str, tuple[Any, str]] = {}

    def of(self, trajectory: Mapping[str, Any]) -> str:
        """The whole text."""
        if self._piece is None:
            signature = _signature_of(tuple(trajectory))
            return self._adapter.format_user_message_content(signature, trajectory)
        return "\n\n".join([self._piece_of(name, value) for name, value in trajectory.items()]).strip()

    def _piece_of(self, name: str, value: Any) -> str:
        kept = self._written.get(name)
        if kept is None or kept[0] is not value:
            assert self._piece is not None
            kept = self._written[name] = (value, self._piece(name, value))
        return kept[1]


def _adapter_for(leaf: Any) -> Any:
    """The adapter that the leaf is asked through, where it can write inputs by themselves; else the default one."""
    from dspx.adapters.base import Adapter

    values = bound.get()
    mine = values.get(id(leaf)) if values else None
    adapter = getattr(mine, "adapter", None) or snapshot()["adapter"] or default_adapter()
    write = getattr(adapter, "format_user_message_content", None)
    cannot = write is None or getattr(write, "__func__", None) is Adapter.format_user_message_content
    return default_adapter() if cannot else adapter


def _piece_writer(adapter: Any) -> Callable[[str, Any], str] | None:
    """How one field is written, where a text is its fields' one below the other; None where that is not known."""
    from dspx.adapters.chat import ChatAdapter
    from dspx.adapters.render import passages_text
    from dspx.adapters.xml import XMLAdapter

    write = adapter.format_user_message_content.__func__
    if write is ChatAdapter.format_user_message_content:
        return lambda name, value: f"[[ ## {name} ## ]]\n{passages_text(value)}"
    if write is XMLAdapter.format_user_message_content:
        return lambda name, value: f"<{name}>\n{passages_text(value)}\n</{name}>"
    return None


@lru_cache(maxsize=256)
def _signature_of(names: tuple[str, ...]) -> Any:
    fields: dict[str, Any] = {name: (str, InputField()) for name in names}
    return make_signature({**fields, "x": (str, OutputField())})
