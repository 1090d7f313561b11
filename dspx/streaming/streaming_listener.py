"""Listen to one output field of one predictor while it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from dspx.core.streams import Delta
from dspx.errors import UsageError
from dspx.streaming.events import FieldDelta, FieldDone, FieldPart, Restart
from dspx.streaming.leaf import Emit, LeafReader
from dspx.streaming.messages import StreamResponse


class StreamListener:
    """`StreamListener("answer")`, given to `streamify(program, stream_listeners=[…])`.

    Where several predictors have a field of this name, say which by `predict` (the predictor itself) or
    `predict_name` (its path). It hears the first call of its predictor, with `allow_reuse` every call.
    An answer that came in one piece, from the cache say, is not streamed: it is in the `Prediction`.
    """

    def __init__(
        self,
        signature_field_name: str,
        predict: Any = None,
        predict_name: str | None = None,
        allow_reuse: bool = False,
    ) -> None:
        self.signature_field_name = signature_field_name
        self.predict = predict
        self.predict_name = predict_name
        self.allow_reuse = allow_reuse

    def __repr__(self) -> str:
        return f"StreamListener({self.signature_field_name!r}, predict_name={self.predict_name!r})"


@dataclass(frozen=True, slots=True)
class Listened:
    """A listener with the predictor that it listens to, and that one's path."""

    listener: StreamListener
    predict: Any
    predict_name: str | None

    @property
    def field(self) -> str:
        return self.listener.signature_field_name


def find_predictor_for_stream_listeners(
    program: Any, stream_listeners: Sequence[StreamListener]
) -> dict[int, list[Listened]]:
    """What is listened to, by the `id()` of the predictor. `UsageError` (a `ValueError`) where a field is in
    no predictor, or in several."""
    leaves: list[tuple[str, Any]] = program.named_predictors() if stream_listeners else []
    found: dict[int, list[Listened]] = {}
    for listener in stream_listeners:
        name, leaf = _given(listener, leaves) if listener.predict is not None else _only(listener, leaves)
        found.setdefault(id(leaf), []).append(Listened(listener, leaf, name))
    return found


def _given(listener: StreamListener, leaves: Sequence[tuple[str, Any]]) -> tuple[str | None, Any]:
    field, leaf = listener.signature_field_name, listener.predict
    if not hasattr(leaf, "signature"):
        raise UsageError(
            f"StreamListener({field!r}, predict=…) was given a {type(leaf).__name__}, which is not a "
            "predictor; give the dspx.Predict inside it."
        )
    names = [name for name, known in leaves if known is leaf]
    return listener.predict_name or (names[0] if names else None), leaf


def _only(listener: StreamListener, leaves: Sequence[tuple[str, Any]]) -> tuple[str, Any]:
    field = listener.signature_field_name
    fitting = [
        (name, leaf)
        for name, leaf in leaves
        if field in leaf.signature.output_fields and listener.predict_name in (None, name)
    ]
    if len(fitting) != 1:
        raise UsageError(_unclear(field, listener.predict_name, fitting, leaves))
    return fitting[0]


def _unclear(
    field: str, predict_name: str | None, fitting: Sequence[Any], leaves: Sequence[tuple[str, Any]]
) -> str:
    if fitting:
        return (
            f"Signature field {field} is not unique in the program, cannot automatically determine which predictor "
            f"to use for streaming. Name it: predict_name={' or '.join(repr(name) for name, _ in fitting)}."
        )
    outputs = {name: list(leaf.signature.output_fields) for name, leaf in leaves}
    where = "" if predict_name is None else f" called {predict_name!r}"
    return f"No predictor{where} has an output field {field!r} to listen to; there are {outputs}."


class Listening:
    """The listeners of one run of a program, which call each of them hears, and whether any heard a thing."""

    def __init__(self, program: Any, listeners: Sequence[StreamListener]) -> None:
        self.heard = False
        self._by_id = find_predictor_for_stream_listeners(program, listeners)
        self._by_stage = {getattr(mine[0].predict, "stage", None): mine for mine in self._by_id.values()}
        self._calls = count()
        self._taken: dict[int, int] = {}

    def sink(self, emit: Emit, leaf: Any, signature: Any, adapter: Any) -> ListenedLeaf | None:
        """The sink of a leaf that has listeners."""
        listened = self._by_id.get(id(leaf)) or self._by_stage.get(getattr(leaf, "stage", id(leaf)))
        if not listened:
            return None
        return ListenedLeaf(self, emit, next(self._calls), listened, signature, adapter)

    def takes(self, listener: StreamListener, call: int) -> bool:
        """Whether this call is one that the listener hears."""
        self.heard = True
        return listener.allow_reuse or self._taken.setdefault(id(listener), call) == call


class ListenedLeaf:
    """A sink that turns one call's pieces into `StreamResponse`s."""

    def __init__(
        self,
        listening: Listening,
        emit: Emit,
        call: int,
        listened: Sequence[Listened],
        signature: Any,
        adapter: Any,
    ) -> None:
        self._listening = listening
        self._emit = emit
        self._call = call
        self._listened = {entry.field: entry for entry in listened}
        self._reader = LeafReader(self._take, "", call, signature, adapter)
        self._open: Listened | None = None
        self._pieces = 0
        self._held: list[Any] = []

    def on_call(self) -> None:
        self._reader.on_call()

    def on_delta(self, delta: Delta) -> None:
        self._pieces += 1
        if self._pieces == 2:
            held, self._held = self._held, []
            for event in held:
                self._hear(event)
        self._reader.on_delta(delta)

    def on_prediction(self, prediction: Any) -> None:
        if self._pieces > 1:
            self._reader.on_prediction(prediction)
            self._end()

    def _take(self, event: Any) -> None:
        """The first piece is held until there is a second: an answer in one piece did not stream."""
        if self._pieces == 1:
            self._held.append(event)
        else:
            self._hear(event)

    def _hear(self, event: Any) -> None:
        open_field = None if self._open is None else self._open.field
        if isinstance(event, (FieldDelta, FieldPart)):
            if event.field != open_field:
                self._end()
                self._begin(event.field)
            if self._open is not None:
                self._say(self._open, event.text if isinstance(event, FieldDelta) else event.part)
        elif (isinstance(event, Restart) and event.field in (None, open_field)) or (
            isinstance(event, FieldDone) and event.field == open_field
        ):
            self._end()

    def _begin(self, field: str) -> None:
        listened = self._listened.get(field)
        if listened is not None and self._listening.takes(listened.listener, self._call):
            self._open = listened

    def _end(self) -> None:
        listened, self._open = self._open, None
        if listened is not None:
            self._say(listened, "", last=True)

    def _say(self, listened: Listened, chunk: Any, last: bool = False) -> None:
        self._emit(StreamResponse(listened.predict_name, listened.field, chunk, last))
