"""Between signatures and messages: how a question is put to a model, and how its answer is read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dspx.adapters.baml import BAMLAdapter as BAMLAdapter
    from dspx.adapters.base import Adapter as Adapter
    from dspx.adapters.chat import ChatAdapter as ChatAdapter
    from dspx.adapters.json import JSONAdapter as JSONAdapter
    from dspx.adapters.template import TemplateAdapter as TemplateAdapter
    from dspx.adapters.two_step import TwoStepAdapter as TwoStepAdapter
    from dspx.adapters.xml import XMLAdapter as XMLAdapter
    from dspx.content.audio import Audio as Audio
    from dspx.content.base import Type as Type
    from dspx.content.code import Code as Code
    from dspx.content.file import File as File
    from dspx.content.history import History as History
    from dspx.content.image import Image as Image
    from dspx.content.reasoning import Reasoning as Reasoning
    from dspx.content.tool_calls import ToolCallResults as ToolCallResults
    from dspx.content.tool_calls import ToolCalls as ToolCalls

_HOME = {
    "Adapter": "adapters.base",
    "BAMLAdapter": "adapters.baml",
    "ChatAdapter": "adapters.chat",
    "JSONAdapter": "adapters.json",
    "TemplateAdapter": "adapters.template",
    "TwoStepAdapter": "adapters.two_step",
    "XMLAdapter": "adapters.xml",
    "Audio": "content.audio",
    "Code": "content.code",
    "File": "content.file",
    "History": "content.history",
    "Image": "content.image",
    "Reasoning": "content.reasoning",
    "Tool": "tools.tool",
    "ToolCallResults": "content.tool_calls",
    "ToolCalls": "content.tool_calls",
    "Type": "content.base",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        from dspx.core.lazy import submodule

        return submodule("dspx.adapters", name)
    value = getattr(import_module(f"dspx.{home}"), name)
    globals()[name] = value
    return value
