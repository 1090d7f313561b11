"""Between signatures and messages: how a question is put to a model, and how its answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

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
    "Adapter": "dspx.adapters.base",
    "BAMLAdapter": "dspx.adapters.baml",
    "ChatAdapter": "dspx.adapters.chat",
    "JSONAdapter": "dspx.adapters.json",
    "TemplateAdapter": "dspx.adapters.template",
    "TwoStepAdapter": "dspx.adapters.two_step",
    "XMLAdapter": "dspx.adapters.xml",
    "Audio": "dspx.content.audio",
    "Code": "dspx.content.code",
    "File": "dspx.content.file",
    "History": "dspx.content.history",
    "Image": "dspx.content.image",
    "Reasoning": "dspx.content.reasoning",
    "Tool": "dspx.tools.tool",
    "ToolCallResults": "dspx.content.tool_calls",
    "ToolCalls": "dspx.content.tool_calls",
    "Type": "dspx.content.base",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
