"""From a signature to a compiled program, measured before and after: what `make demo` runs.

    python -m examples.demo

It asks a real model where it finds one: the one that DSPX_DEMO_LM names, else one whose key is set (OPENAI_API_KEY,
ANTHROPIC_API_KEY, …), else a local Ollama. Otherwise it asks the model that comes with dspx for tests, over HTTP like any
other: it knows nothing but the examples in its prompt, and so shows what examples are worth. DSPX_DEMO_LM=embedded
asks that one in any case.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspx
import dspx.store
from dspx.testing.modes import model_of_a_key
from dspx.testing.server import Server
from examples.iris import Flower, flowers
from examples.search import search

OLLAMA = "http://127.0.0.1:11434"
EMBEDDED = "embedded"
ROOT = Path(__file__).resolve().parent.parent


# ---------------------------------------------------------------- the program


def right_species(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    return example.species == prediction.species


def show(lm: dspx.LM, found: Found, page: Page) -> None:
    """The whole way, a section for each step."""
    dspx.configure(lm=lm)
    trainset, devset = flowers()
    devset = devset[: found.examples]
    evaluate = dspx.Evaluate(devset=devset, metric=right_species, num_threads=found.threads)
    show_model_and_signature(found, page)

    page.section("Zero-shot", f"{len(devset)} flowers it has not seen")
    classify = dspx.Predict(Flower)
    before = evaluate(classify)
    page.score("before", before)

    page.section(
        "Compiled", f"LabeledFewShot puts {found.shots} of {len(trainset)} labelled flowers into the prompt"
    )
    compiled = dspx.LabeledFewShot(k=found.shots).compile(classify, trainset=trainset)
    after = evaluate(compiled)
    page.score("before", before)
    page.score("after", after)

    show_comparison(dspx.compare(before, after), page)
    show_saved(compiled, devset[4], page)


def show_optimizers(lm: dspx.LM, found: Found, page: Page) -> None:
    """Demonstrations from the program's own right answers; and a search that is killed and goes on."""
    trainset, devset = flowers()
    page.section("Bootstrapped", "BootstrapFewShot keeps what the program itself got right")
    bootstrap = dspx.BootstrapFewShot(right_species, max_bootstrapped_demos=12, max_labeled_demos=24)
    compiled = bootstrap.compile(dspx.Predict(Flower), trainset=trainset)
    evaluate = dspx.Evaluate(devset=devset, metric=right_species, num_threads=found.threads)
    page.score("after", evaluate(compiled))

    page.section("Searched, killed, and gone on with", "MIPROv2, recorded in SQLite")
    store = f"sqlite:///{tempfile.mkdtemp(prefix='dspx-demo-')}/runs.db"
    recorded = start_and_kill(store, lm)
    page.line(f"kill -9 after {recorded} recorded rollouts")
    with dspx.context(lm=lm):
        found_by_search = search(store, "iris", found.threads)
    report = found_by_search.report
    page.line(f"started again: {report.replayed} answers replayed, {report.rollouts} rollouts run")
    page.line(report.verdict)
    page.note(
        f"{report.gain.on}; {report.spent.lm_calls} calls in all" if report.gain else "nothing measured"
    )


def start_and_kill(store: str, lm: dspx.LM, after: int = 60) -> int:
    """Start the search in a process of its own, and kill it once so many rollouts are recorded; how many they were."""
    given = [lm.model, *filter(None, [lm.connection.get("api_base")])]
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.search", store, "iris", *given],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    count, patience = 0, time.monotonic() + 30
    with dspx.store.open(store) as watched:
        while process.poll() is None and count < after and time.monotonic() < patience:
            time.sleep(0.02)
            with contextlib.suppress(dspx.store.StoreError):
                count = len(watched.find_rollouts("iris"))
    process.kill()
    process.wait()
    return count


def show_model_and_signature(found: Found, page: Page) -> None:
    page.section("The model")
    page.line(found.told)
    for hint in found.hints:
        page.note(hint)
    page.section("The signature", "what goes in, what comes out")
    for line in inspect.getsource(Flower).splitlines():
        page.code(line)


def show_comparison(comparison: dspx.Comparison, page: Page) -> None:
    page.section("Is it better?", "the same flowers, compared one by one")
    low, high = comparison.ci95 or (0.0, 0.0)
    page.line(f"{comparison.difference:+.1f} points, 95 % sure between {low:+.1f} and {high:+.1f}")
    page.line(f"{comparison.wins} flowers won, {comparison.losses} lost, {comparison.ties} as before")
    page.note(comparison.verdict.replace("b ", "compiled ", 1).replace("than a", "than zero-shot"))


def show_saved(program: dspx.Predict, flower: dspx.Example, page: Page) -> None:
    page.section("Saved, and loaded again")
    path = Path(tempfile.mkdtemp(prefix="dspx-demo-")) / "iris.json"
    program.save(path)
    again = dspx.Predict(Flower)
    again.load(path)
    page.line(f"{path}  ({path.stat().st_size / 1024:.1f} kB of JSON, {len(again.demos)} demos)")
    page.line(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in flower.inputs().items()))
    page.line(f"{page.arrow} {page.strong(again(**flower.inputs()).species)}   (it is {flower.species})")


# ---------------------------------------------------------------- the model


@dataclass(frozen=True)
class Found:
    """A model, and how much to ask of it."""

    model: str
    told: str
    hints: tuple[str, ...] = ()
    examples: int = 75
    shots: int = 16
    threads: int = 16


def find_model() -> Found:
    named = os.environ.get("DSPX_DEMO_LM")
    if named and named != EMBEDDED:
        return Found(named, f"{named}, as DSPX_DEMO_LM says")
    keyed = None if named else model_of_a_key()
    if keyed:
        return Found(keyed, f"{keyed}, whose key is set", ("DSPX_DEMO_LM names another one.",))
    local = None if named else ollama_model()
    if local:
        told = f"{local} of the local Ollama"
        return Found(
            f"ollama/{local}", told, ("DSPX_DEMO_LM names another one.",), examples=24, shots=9, threads=2
        )
    return Found(
        EMBEDDED,
        "the one that comes with dspx, behind a local HTTP server",
        (
            "No language model: it answers by the nearest examples in its prompt, and knows nothing else.",
            "Set OPENAI_API_KEY, ANTHROPIC_API_KEY, … or start Ollama, and the same code asks a real one.",
        ),
    )


def ollama_model() -> str | None:
    """The first model of an Ollama on this machine; None where none answers at once."""
    try:
        with urllib.request.urlopen(f"{OLLAMA}/api/tags", timeout=0.2) as reply:
            models = json.load(reply)["models"]
            return models[0]["name"] if models else None
    except (OSError, ValueError, KeyError):
        return None


@contextlib.contextmanager
def lm_of(found: Found) -> Iterator[dspx.LM]:
    """The model as an LM. Nothing is cached, so that what is measured is what it takes."""
    if found.model != EMBEDDED:
        yield dspx.LM(found.model, cache=False)
        return
    with Server("nearest") as server:
        yield server.lm("nearest", cache=False)


# ---------------------------------------------------------------- the page


class Page:
    """What is printed: sections, lines, bars. Colour only on a terminal, plain ASCII where nothing else can be shown."""

    def __init__(self) -> None:
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.wide = _can_show("█─→")
        self.number = 0
        self.arrow = "→" if self.wide else "->"

    def title(self, text: str) -> None:
        print(f"\n{self.strong(text)}\n{('─' if self.wide else '-') * len(text)}")

    def section(self, title: str, told: str = "") -> None:
        self.number += 1
        separator = "  " if told else ""
        print(f"\n{self.paint(f'{self.number}.', 36)} {self.strong(title)}{separator}{self.dim(told)}")

    def line(self, text: str) -> None:
        print(f"   {self.plain(text)}")

    def note(self, text: str) -> None:
        print(f"   {self.dim(self.plain(text))}")

    def code(self, text: str) -> None:
        print(f"   {self.paint(text, 36)}" if text else "")

    def score(self, name: str, result: Any) -> None:
        low, high = result.ci95 or (0.0, 100.0)
        told = f"95 % sure between {low:.0f} and {high:.0f}"
        failed = f", {result.errors} failed" if result.errors else ""
        print(
            f"   {name:<7} {self.bar(result.score)} {self.strong(f'{result.score:5.1f} %')}  {self.dim(told + failed)}"
        )

    def bar(self, percent: float, width: int = 30) -> str:
        filled = round(width * percent / 100)
        full, empty = ("█", "░") if self.wide else ("#", ".")
        return self.paint(full * filled, 32) + self.dim(empty * (width - filled))

    def strong(self, text: str) -> str:
        return self.paint(text, 1)

    def dim(self, text: str) -> str:
        return self.paint(text, 2)

    def plain(self, text: str) -> str:
        return text if self.wide else text.replace("…", "...")

    def paint(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def bill(usage: Any, seconds: float, found: Found, page: Page) -> None:
    """What all of it took."""
    tokens = sum(total.get("total_tokens", 0) for total in usage.get_total_tokens().values())
    latencies = sorted(entry.latency for entry in usage.entries)
    middle = latencies[len(latencies) // 2] * 1000 if latencies else 0.0
    cost = "free of charge" if found.model == EMBEDDED else "no price known"
    if usage.total_cost:
        cost = f"${usage.total_cost:.4f}"
    page.section("What it took")
    page.line(
        f"{usage.calls} calls, {tokens:,} tokens, {cost}, {middle:.1f} ms a call (median), {seconds:.1f} s in all"
    )


def main() -> int:
    page = Page()
    found = find_model()
    page.title(f"dspx {dspx.__version__}: from a signature to a compiled program")
    started = time.monotonic()
    try:
        with lm_of(found) as lm, dspx.track_usage() as usage:
            show(lm, found, page)
            bill(usage, time.monotonic() - started, found, page)
            if found.model == EMBEDDED:  # it takes some hundred calls, which a real model charges for
                show_optimizers(lm, found, page)
    except (dspx.LMError, dspx.EvaluationError) as error:
        print(
            f"\n{found.model} could not be asked: {error}\nDSPX_DEMO_LM=embedded runs without it.",
            file=sys.stderr,
        )
        return 1
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
