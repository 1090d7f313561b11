"""Write `bootstraps.json`: which demos DSPy's bootstrapping optimizers choose. Run by an interpreter that has DSPy 3.4.1.

    python tests/golden/make_bootstraps.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.golden.bootstraps import CASES, answer, chosen, rows  # noqa: E402


def main() -> None:
    import dspy

    class LM(dspy.BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            from types import SimpleNamespace as Plain

            message = Plain(content=answer(messages), tool_calls=None, reasoning_content=None)
            choice = Plain(message=message, finish_reason="stop", logprobs=None)
            return Plain(choices=[choice], usage={}, model="golden")

    dspy.configure(lm=LM("golden"))
    found = {name: chosen(dspy, case, rows(dspy)) for name, case in CASES.items()}
    path = Path(__file__).parent / "bootstraps.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
