"""An LM and an adapter for tests of what stands above them: answers by a function, no prompt, no network."""

import threading

import dspx
from dspx.lm.base import BaseLM


class ScriptedLM(BaseLM):
    """Answers every prompt with the same text, and counts."""

    def __init__(self, answer="yes", **kwargs):
        super().__init__("scripted", **kwargs)
        self.answer = answer
        self.asked = []

    def forward(self, prompt=None, messages=None, **kwargs):
        self.asked.append((prompt or messages, kwargs))
        return {
            "model": "scripted",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": self.answer},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
        }


class ScriptedAdapter:
    """Answers each signature by `answer(signature, inputs, config)`: one dict of outputs, or a list of them."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = []
        self._lock = threading.Lock()

    async def acall(self, lm, lm_kwargs, signature, demos, inputs):
        with self._lock:
            self.calls.append(
                {"lm": lm, "config": dict(lm_kwargs), "signature": signature, "demos": demos, **inputs}
            )
        values = self.answer(signature, inputs, lm_kwargs)
        return values if isinstance(values, list) else [values]


def scripted(answer):
    """Settings under which every `Predict` is answered by `answer`."""
    return dspx.context(adapter=ScriptedAdapter(answer), lm=ScriptedLM())
