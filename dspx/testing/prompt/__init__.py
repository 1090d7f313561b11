"""dspx's prompts, read from the model's side: what is asked, the examples given, and how to lay out the answer."""

from __future__ import annotations

from dspx.testing.prompt.reading import Asking, Shown, read_prompt
from dspx.testing.prompt.wanted import Wanted
from dspx.testing.prompt.writing import write_answer

__all__ = ["Asking", "Shown", "Wanted", "read_prompt", "write_answer"]
