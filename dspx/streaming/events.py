"""What a program says while it runs: typed events. Those of agents' steps are in `dspx.core.steps`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dspx.core.steps import Observed as Observed
from dspx.core.steps import Thought as Thought
from dspx.core.steps import ToolCalled as ToolCalled


@dataclass(frozen=True, slots=True)
class FieldDelta:
    """The next piece of an output field's text.

    `predictor` is the leaf's path in the program (`self` where the program is the leaf), `call` counts the
    leaf calls of this run. For a `str` field the pieces of one call together are its value, and at every
    moment a beginning of it; of other types they are the text that becomes the value.
    """

    predictor: str
    field: str
    text: str
    call: int = 0


@dataclass(frozen=True, slots=True)
class FieldPart:
    """A piece of a field that is not text: one citation, say."""

    predictor: str
    field: str
    part: Any
    call: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """Forget what came of this call so far (of one `field`, or of all where it is None); it comes again.

    The answer could not be read and the model is asked once more, or the value turned out otherwise.
    """

    predictor: str
    field: str | None = None
    call: int = 0


@dataclass(frozen=True, slots=True)
class FieldDone:
    """An output field's value, parsed and typed."""

    predictor: str
    field: str
    value: Any
    call: int = 0


@dataclass(frozen=True, slots=True)
class Final:
    """What the program returned. Always the last event."""

    prediction: Any


Event = FieldDelta | FieldPart | Restart | FieldDone | Thought | ToolCalled | Observed | Final
