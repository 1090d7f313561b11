import io
import sys
from contextlib import contextmanager

import pytest

import dspx
from dspx.core import progress as seam
from dspx.core.progress import show_progress_with, start_progress
from dspx.telemetry import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@contextmanager
def drawn_on(stream):
    before, stderr = seam._show, sys.stderr
    show_progress_with(progress.line)
    sys.stderr = stream
    try:
        yield stream
    finally:
        sys.stderr = stderr
        show_progress_with(before)


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_line_shows_its_text_and_count_in_a_terminal_and_nothing_elsewhere(stream):
    with drawn_on(stream()) as seen:
        line = start_progress("Evaluate", 4)
        line.advance(3, "Average Metric: 2.00 / 3 (66.7%)")
        line.advance()
        line.close()
    assert ("Average Metric: 2.00 / 3 (66.7%)" in seen.getvalue()) == seen.isatty()
    assert ("4/4" in seen.getvalue()) == seen.isatty()


def test_an_evaluation_draws_it():
    class Echo(dspx.Module):
        def forward(self, q):
            return q

    examples = [dspx.Example(q=i).with_inputs("q") for i in range(3)]
    evaluate = dspx.Evaluate(devset=examples, metric=lambda e, p: 1.0, display_progress=True, num_threads=1)
    with drawn_on(Terminal()) as seen:
        evaluate(Echo())
    assert "Average Metric: 3.00 / 3 (100.0%)" in seen.getvalue()
