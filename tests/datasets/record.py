"""Write `dspy.json`, what DSPy 3.4.1 makes of the rows in `material`: `.venv-dspy/bin/python -m tests.datasets.record`."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

from tests.datasets.material import ANSWERS, BOXES, by_name, numbers

PAGE = Path(__file__).parent / "dspy.json"


def main() -> None:
    hub: Any = types.ModuleType("datasets")
    hub.load_dataset = load_dataset
    sys.modules["datasets"] = hub
    PAGE.write_text(json.dumps(parts(), indent=1, default=sorted) + "\n")


def load_dataset(name: str, *args: Any, split: str | None = None) -> Any:
    return by_name(name, split) if split else {split: by_name(name, split) for split in ("train", "test")}


def parts() -> dict[str, Any]:
    from dspy.datasets import MATH, Colors, Dataset, HotPotQA  # pyright: ignore[reportMissingImports]
    from dspy.datasets.gsm8k import GSM8K, parse_integer_answer  # pyright: ignore[reportMissingImports]
    from dspy.datasets.math import extract_answer  # pyright: ignore[reportMissingImports]

    class Numbers(Dataset):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            self._train, self._dev, self._test = numbers(0), numbers(100), numbers(200)

    sized = Numbers(train_seed=1, train_size=4, eval_seed=2, dev_size=5, test_size=3, input_keys=["q"])
    divided = Numbers.prepare_by_seed(train_seeds=[1, 2], train_size=2, dev_size=6)
    whole = Numbers.prepare_by_seed(train_seeds=[1, 2], train_size=2, dev_size=6, divide_eval_per_seed=False)
    return {
        "numbers": taken(Numbers()),
        "numbers sized": taken(sized),
        "numbers divided": [
            [rows(part) for part in sets] for sets in (divided.train_sets, divided.eval_sets)
        ],
        "numbers whole": [[rows(part) for part in sets] for sets in (whole.train_sets, whole.eval_sets)],
        "gsm8k": taken(GSM8K(), 4),
        "hotpotqa": taken(HotPotQA()),
        "hotpotqa sized": taken(HotPotQA(train_seed=1, train_size=3, dev_size=2, test_size=2)),
        "hotpotqa detailed": taken(HotPotQA(keep_details=True)),
        "hotpotqa bare": taken(HotPotQA(keep_details=False)),
        "math": taken(MATH("algebra"), 4),
        "colors": {name: rows(getattr(Colors(), name)) for name in ("train", "dev")},
        "integers": [[parse_integer_answer(text), parse_integer_answer(text, False)] for text in ANSWERS],
        "boxes": [extract_answer(text) for text in BOXES],
    }


def taken(dataset: Any, most: int | None = None) -> dict[str, Any]:
    """Each part: how many examples it has, and the first of them."""
    found = {name: rows(getattr(dataset, name)) for name in ("train", "dev", "test")}
    return {name: [len(examples), examples[:most]] for name, examples in found.items()}


def rows(examples: Any) -> list[dict[str, Any]]:
    return [dict(example.items()) for example in examples]


if __name__ == "__main__":
    main()
