"""What an evaluation found: the score, how sure it is, what failed, what it cost, and every row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dspx.core.prediction import Prediction
from dspx.core.settings import snapshot
from dspx.core.usage import add_up
from dspx.evaluate import records, stats
from dspx.evaluate.rollouts import judged, number_of
from dspx.evaluate.row import Row, Spent
from dspx.evaluate.table import show_table
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out

if TYPE_CHECKING:
    from typing_extensions import Self

_NOT_YET: Any = ()


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the program took per example, in seconds: half of them at most `p50`, 95 % at most `p95`."""

    mean: float
    p50: float
    p95: float
    p99: float


class EvaluationResult(Prediction):
    """A score in percent, and what is behind it.

    `results` holds `(example, prediction, score)` tuples; `rows` says more of each. An example that raised
    counts as the `failure_score` in `score`, and once more in `errors`, with its reason in `error_rows`.
    """

    score: float
    results: list[tuple[Any, Any, Any]]

    def __init__(
        self,
        score: float,
        results: Sequence[tuple[Any, Any, Any]],
        *,
        rows: Sequence[Row] | None = None,
        planned: int | None = None,
        metric_name: str = "score",
        failure_score: float = 0.0,
        interrupted: bool = False,
        seconds: float = 0.0,
    ) -> None:
        super().__init__(score=score, results=results)
        self._rows = _rows_of(results) if rows is None else list(rows)
        self._planned = len(self._rows) if planned is None else planned
        self._metric_name = metric_name
        self._failure_score = failure_score
        self._interrupted = interrupted
        self._seconds = seconds
        self._interval: Any = _NOT_YET

    @classmethod
    def of(cls, rows: Sequence[Row], **facts: Any) -> Self:
        """The result that these rows make."""
        results = [(row.example, row.prediction, row.score) for row in rows]
        return cls(_percent(row.value for row in rows), results, rows=rows, **facts)

    # ------------------------------------------------------------ how good, how sure

    @property
    def ci95(self) -> tuple[float, float] | None:
        """Where the score would lie on endlessly many examples like these, in percent, 95 % sure.

        Wilson's interval where every score is 0 or 1, a bootstrap over examples otherwise; None where there
        is too little to tell.
        """
        if self._interval == _NOT_YET:
            groups: dict[int, list[float]] = {}
            for row in self._rows:
                groups.setdefault(row.index, []).append(row.value)
            interval = stats.mean_interval(list(groups.values()))
            self._interval = (
                None if interval is None else (round(100 * interval[0], 2), round(100 * interval[1], 2))
            )
        return self._interval

    @property
    def rows(self) -> list[Row]:
        """Each example's part, in the devset's order; with repeats, the whole devset again and again."""
        return self._rows

    @property
    def n(self) -> int:
        """How many rows the score is the mean of, failed ones included."""
        return len(self._rows)

    @property
    def errors(self) -> int:
        """How many rows have no score of their own, because the program or the metric raised."""
        return sum(row.error is not None for row in self._rows)

    @property
    def error_rows(self) -> list[Row]:
        return [row for row in self._rows if row.error is not None]

    @property
    def score_without_errors(self) -> float | None:
        """The score of the rows that have one; None where none has."""
        values = [row.value for row in self._rows if row.error is None]
        return _percent(values) if values else None

    @property
    def complete(self) -> bool:
        """Whether every example ran."""
        return self.n == self._planned

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; then the score is that of the rows there are."""
        return self._interrupted

    @property
    def metric_name(self) -> str:
        return self._metric_name

    # ------------------------------------------------------------ what it took

    @property
    def latency(self) -> Latency | None:
        """Of the program, over the rows in which it did not raise; None where there are none."""
        seconds = sorted(row.seconds for row in self._rows if row.failed_in != "program")
        if not seconds:
            return None
        p50, p95, p99 = (stats.percentile(seconds, share) for share in (0.5, 0.95, 0.99))
        return Latency(sum(seconds) / len(seconds), p50, p95, p99)

    @property
    def seconds(self) -> float:
        """How long the evaluation took, from start to end."""
        return self._seconds

    @property
    def spent(self) -> Spent:
        """By the program: `usage`, `cost`, `calls`, `cache_hits`."""
        return _together(row.spent for row in self._rows)

    @property
    def spent_by_metric(self) -> Spent:
        """By the metric, where it asks an LM."""
        return _together(row.spent_by_metric for row in self._rows)

    @property
    def usage(self) -> Mapping[str, Mapping[str, Any]]:
        """The program's tokens, by model."""
        return self.spent.usage

    @property
    def cost(self) -> float | None:
        """The program's calls in US dollars; None where no price is known."""
        return self.spent.cost

    @property
    def metric_cost(self) -> float | None:
        return self.spent_by_metric.cost

    # ------------------------------------------------------------ another metric

    def rescore(self, metric: Any, num_threads: int | None = None) -> EvaluationResult:
        """The same predictions under another metric, without running the program."""
        return run(self.arescore(metric, num_threads))

    async def arescore(self, metric: Any, num_threads: int | None = None) -> EvaluationResult:
        """`rescore` for async code."""

        async def again(row: Row) -> Row:
            return await judged(metric, row, self._failure_score)

        outcomes = await fan_out(again, self._rows, workers=num_threads or snapshot()["num_threads"])
        rows = [outcome.value for outcome in outcomes if outcome.value is not None]
        return EvaluationResult.of(
            rows,
            planned=self._planned,
            metric_name=name_of(metric),
            failure_score=self._failure_score,
            interrupted=self._interrupted,
            seconds=self._seconds,
        )

    # ------------------------------------------------------------ taking it elsewhere

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict per row: the example's fields, the prediction's, the score, the error."""
        return records.records(self._rows, self._metric_name)

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame (needs pandas)."""
        from importlib import import_module

        return import_module("pandas").DataFrame(self.to_dicts())

    def save_as_csv(self, path: str | Path) -> None:
        records.write_csv(path, self.to_dicts())

    def save_as_json(self, path: str | Path) -> None:
        """A list with one object per row."""
        records.write_json(path, self.to_dicts())

    def save_as_html(self, path: str | Path) -> None:
        """A page that stands alone: the summary and every row."""
        records.write_html(path, f"{self._metric_name}: {self.score:g} %", self.summary(), self.to_dicts())

    def display_table(self, limit: int | None = None) -> None:
        """Show the rows, or the first `limit` of them."""
        show_table(self.to_dicts(), limit)

    # ------------------------------------------------------------ showing

    def summary(self) -> str:
        """The result in a few lines."""
        return "\n".join(line for line in (self._headline(), *self._warnings(), *self._took()) if line)

    def _headline(self) -> str:
        sure = f", 95 % sure between {self.ci95[0]:g} and {self.ci95[1]:g}" if self.ci95 else ""
        examples = len({row.index for row in self._rows})
        times = f" x {round(self.n / examples)}" if examples and self.n > examples else ""
        return f"{self._metric_name}: {self.score:g} %{sure} ({examples} examples{times})"

    def _warnings(self) -> Iterable[str]:
        if self._interrupted:
            yield f"interrupted: {self.n} of {self._planned} examples ran"
        elif not self.complete:
            yield f"not complete: {self.n} of {self._planned} examples ran"
        if self.errors:
            rest = self.score_without_errors
            others = f"; without failures the score is {rest:g} %" if rest is not None else ""
            yield f"{self.errors} failed and count as {self._failure_score:g}{others}"

    def _took(self) -> Iterable[str]:
        if self.latency is not None:
            each = self.latency
            yield f"latency: median {each.p50:.3g} s, p95 {each.p95:.3g} s, p99 {each.p99:.3g} s"
        for who, spent in (("program", self.spent), ("metric", self.spent_by_metric)):
            if spent.calls or spent.cache_hits:
                tokens = sum(int(usage.get("total_tokens") or 0) for usage in spent.usage.values())
                price = f", ${spent.cost:.4f}" if spent.cost is not None else ""
                yield f"{who}: {spent.calls} LM calls, {spent.cache_hits} cache hits, {tokens} tokens{price}"

    def __repr__(self) -> str:
        parts = [f"score={self.score}", f"ci95={self.ci95}", f"n={self.n}"]
        parts += [f"errors={self.errors}"] if self.errors else []
        parts += ["interrupted=True"] if self._interrupted else []
        return f"EvaluationResult({', '.join(parts)}, results=<list of {len(self.results)} results>)"

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        table = records.html_table(self.to_dicts()[:20], longest=300)
        more = f"… {self.n - 20} more rows" if self.n > 20 else ""
        return f"<pre>{escape(self.summary())}</pre>{table}{more}"

    # ------------------------------------------------------------ copies

    def copy(self, **kwargs: Any) -> Self:
        new = object.__new__(type(self))
        new.__setstate__({**self.__getstate__(), "_store": {**self._store, **kwargs}})
        return new


def name_of(metric: Any) -> str:
    """What to call a metric: its function's name, or its class's."""
    return getattr(metric, "__name__", None) or type(metric).__name__


def _percent(values: Iterable[float]) -> float:
    numbers = list(values)
    return round(100 * sum(numbers) / len(numbers), 2) if numbers else 0.0


def _rows_of(results: Sequence[tuple[Any, Any, Any]]) -> list[Row]:
    return [
        Row(index, 0, example, prediction, score, number_of(score))
        for index, (example, prediction, score) in enumerate(results)
    ]


def _together(parts: Iterable[Spent]) -> Spent:
    """The sum. A price is known where any part's is."""
    usage: dict[str, dict[str, Any]] = {}
    cost: float | None = None
    calls = cache_hits = 0
    for part in parts:
        calls += part.calls
        cache_hits += part.cache_hits
        if part.cost is not None:
            cost = (cost or 0.0) + part.cost
        for model, tokens in part.usage.items():
            add_up(usage.setdefault(model, {}), tokens)
    return Spent(usage, cost, calls, cache_hits)
