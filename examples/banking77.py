"""Banking77 end to end: which of 77 intents has a customer's question? Evaluate, compile, evaluate again, compare.

    python -m examples.banking77 --data ../shared/data        # or DSPX_DATA=…

The data (PolyAI, CC BY 4.0) is `banking77/train.csv`, `test.csv` and `categories.json` in the folder that --data names.
`--model openai/gpt-4o-mini` asks a real model, which costs money; without it, one that comes with dspx, which
answers by the nearest of the examples in its prompt, and by nothing else.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
from pathlib import Path
from typing import Any, Literal

import dspx
from dspx.testing import NearestLM

HERE = Path(__file__).resolve().parent


def main() -> None:
    options = _options()
    folder = data_folder(options.data)
    lm = dspx.LM(options.model) if options.model else NearestLM()
    dspx.configure(lm=lm, num_threads=options.threads)

    trainset = spread(rows(folder, "train.csv"), options.demos, seed=0)
    devset = spread(rows(folder, "test.csv"), options.examples, seed=1)
    student = dspx.Predict(intent_signature(folder))
    compiled = dspx.LabeledFewShot(k=options.demos).compile(student, trainset=trainset)

    print(f"{lm.model}: {len(devset)} questions, {options.demos} examples in the compiled prompt")
    with dspx.track_usage() as usage:
        comparison = dspx.compare(student, compiled, devset, exact)
    print(f"zero-shot {show(comparison.a)}\ncompiled  {show(comparison.b)}")
    print(comparison.verdict)
    print(f"{usage.calls} calls, {usage.total_tokens:,} tokens")
    if options.save:
        compiled.save(options.save)


def show(result: dspx.EvaluationResult) -> str:
    interval = (
        "" if result.ci95 is None else f" (95 % sure between {result.ci95[0]:g} and {result.ci95[1]:g})"
    )
    return f"{result.score:g} %{interval}, {result.errors} errors, {result.seconds:.1f} s"


def rows(folder: Path, name: str) -> list[dspx.Example]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return [
            dspx.Example(text=row["text"], intent=row["category"]).with_inputs("text")
            for row in csv.DictReader(file)
        ]


def intent_signature(folder: Path) -> type[dspx.Signature]:
    """A signature whose output is one of the intents that the data has."""
    intents = tuple(json.loads((folder / "categories.json").read_text(encoding="utf-8")))
    signature = dspx.Signature("text -> intent", "Which intent does the customer's question have?")
    return signature.with_updated_fields("intent", type_=Literal[intents])


def exact(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    return example.intent == prediction.intent


def spread(examples: list[dspx.Example], count: int, seed: int) -> list[dspx.Example]:
    """So many examples, of as many intents as there can be."""
    by_intent: dict[str, list[dspx.Example]] = {}
    for example in random.Random(seed).sample(examples, len(examples)):
        by_intent.setdefault(example.intent, []).append(example)
    longest = max(map(len, by_intent.values()))
    turns = [group[i] for i in range(longest) for group in by_intent.values() if i < len(group)]
    return turns[:count]


def data_folder(named: str | None) -> Path:
    holder = Path(named or os.environ.get("DSPX_DATA") or HERE.parent.parent / "shared" / "data")
    folder = holder / "banking77"
    if not (folder / "train.csv").exists():
        sys.exit(
            f"No Banking77 in {folder}. Get train.csv, test.csv and categories.json from "
            "https://github.com/PolyAI-LDN/task-specific-datasets, and name the folder that holds "
            "`banking77/`: --data FOLDER, or DSPX_DATA=FOLDER."
        )
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="the folder that holds banking77/")
    parser.add_argument("--model", help="a model string; without one, the model that comes with dspx")
    parser.add_argument("--examples", type=int, default=500, help="how many questions to evaluate on")
    parser.add_argument("--demos", type=int, default=154, help="how many examples the compiled prompt shows")
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--save", help="where to write the compiled program, a .json file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
