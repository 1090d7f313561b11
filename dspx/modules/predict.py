"""Ask a language model what a signature says. The one leaf that every other module is made of.

    qa = dspx.Predict("question -> answer")
    qa(question="What is the capital of Portugal?").answer

With a signature class, inputs and outputs are typed: an IDE completes both.
"""

from __future__ import annotations

import copy
import logging
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from dspx.core import streams
from dspx.core.calls import entrance, stepped
from dspx.core.candidate import LeafValues, bound
from dspx.core.example import Example
from dspx.core.fields import Field
from dspx.core.ids import new_id
from dspx.core.module import Module, Parameter
from dspx.core.prediction import Prediction
from dspx.core.settings import snapshot
from dspx.core.signature import Signature, ensure_signature
from dspx.core.trace import answered_by, asked_again, record_step
from dspx.errors import UsageError
from dspx.runtime.bridge import run

if TYPE_CHECKING:
    from typing_extensions import ParamSpec, Self

    from dspx.lm.base import BaseLM

    P = ParamSpec("P")
    S_co = TypeVar("S_co", bound=Prediction, covariant=True)
else:
    from typing_extensions import ParamSpec

    P = ParamSpec("P")
    S_co = TypeVar("S_co", covariant=True)

logger = logging.getLogger("dspx.predict")

_PRIVILEGED = frozenset({"signature", "demos", "config", "lm"})


class Predict(Module, Parameter, Generic[P, S_co]):
    """`Predict(signature, **config)`; call it with the signature's inputs as keywords.

    `config` are settings for the LM (`temperature`, `n`, `max_tokens`, …). At a call, `config=`, `demos=`,
    `lm=` and `signature=` go before what the module holds, for that call only.
    """

    is_predictor = True

    signature: type[Signature]
    demos: list[Any]
    lm: Any
    adapter: Any = None
    """This leaf's own adapter; else the settings' one."""
    tuned: Mapping[str, Any] = {}
    """What of `config` was installed, and so belongs to the state."""

    @overload
    def __init__(
        self: Predict[..., Prediction],
        signature: str | Signature,
        callbacks: list[Any] | None = None,
        **config: Any,
    ) -> None: ...
    @overload
    def __init__(
        self, signature: Callable[P, S_co], callbacks: list[Any] | None = None, **config: Any
    ) -> None: ...
    def __init__(self, signature: Any, callbacks: list[Any] | None = None, **config: Any) -> None:
        super().__init__(callbacks=callbacks)
        self.stage = new_id()[-16:]
        self.signature = ensure_signature(signature)
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forget the LM, demos and traces."""
        self.lm = None
        self.traces: list[Any] = []
        self.train: list[Any] = []
        self.demos = []

    # ------------------------------------------------------------ calling

    if TYPE_CHECKING:

        @overload
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> S_co: ...
        @overload
        def __call__(self, *, config: Mapping[str, Any], **inputs: Any) -> S_co: ...
        @overload
        def __call__(self, *, lm: BaseLM, **inputs: Any) -> S_co: ...
        @overload
        def __call__(self, *, demos: Sequence[Any], **inputs: Any) -> S_co: ...
        @overload
        def __call__(self, *, signature: str | type[Signature], **inputs: Any) -> S_co: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

        @overload
        async def acall(self, *args: P.args, **kwargs: P.kwargs) -> S_co: ...
        @overload
        async def acall(self, *, config: Mapping[str, Any], **inputs: Any) -> S_co: ...
        @overload
        async def acall(self, *, lm: BaseLM, **inputs: Any) -> S_co: ...
        @overload
        async def acall(self, *, demos: Sequence[Any], **inputs: Any) -> S_co: ...
        @overload
        async def acall(self, *, signature: str | type[Signature], **inputs: Any) -> S_co: ...
        async def acall(self, *args: Any, **kwargs: Any) -> Any: ...

    else:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return run(stepped(self)(*args, **kwargs))

    async def aforward(self, **kwargs: Any) -> Any:
        settings = snapshot()
        ask = self._question(settings, kwargs)
        adapter, lm, config, signature, demos = ask
        trace = kwargs.pop("_trace", True)
        inputs = _take_inputs(signature, kwargs, settings)
        if answered_by.get() is not None or asked_again.get() is not None:
            _forget_how()
        open_sink = streams.open_sink.get()
        if open_sink is None:
            values = await entrance(adapter)(lm, config, signature, demos, inputs)
            prediction = Prediction.from_completions(values, signature)
        else:
            prediction = await self._into_sink(open_sink, ask, inputs)
        if answered_by.get() is not None or asked_again.get() is not None:
            _note_how(prediction)
        if trace and settings["trace"] is not None:
            record_step(settings, self, inputs, prediction)
        return prediction

    async def _into_sink(
        self, open_sink: Callable[..., Any], ask: _Question, inputs: dict[str, Any]
    ) -> Prediction:
        adapter, lm, config, signature, demos = ask
        sink = open_sink(self, signature, adapter)
        with streams.sink.using(sink):
            values = await entrance(adapter)(lm, config, signature, demos, inputs)
        prediction = Prediction.from_completions(values, signature)
        if sink is not None:
            sink.on_prediction(prediction)
        return prediction

    def _question(self, settings: Mapping[str, Any], kwargs: dict[str, Any]) -> _Question:
        """Who is asked what, and how: the call's own arguments first, then bound values, then the module's."""
        values = bound.get()
        mine = values.get(id(self), _NOTHING) if values else _NOTHING
        signature: Any = self.signature
        demos: Any = self.demos if mine.demos is None else mine.demos
        config: Mapping[str, Any] = {**self.config, **mine.config} if mine.config else self.config
        lm: Any = mine.lm or self.lm or settings["lm"]
        if mine.instructions is not None:
            signature = with_instructions(signature, mine.instructions)
        if not _PRIVILEGED.isdisjoint(kwargs):
            signature = ensure_signature(kwargs.pop("signature", None)) or signature
            demos = kwargs.pop("demos", demos)
            config = {**config, **(kwargs.pop("config", None) or {})}
            lm = kwargs.pop("lm", None) or lm
        config = {**config}
        if "prediction" in kwargs and _is_predicted_output(kwargs["prediction"]):
            config["prediction"] = kwargs.pop("prediction")
        if not hasattr(lm, "respond_to"):
            raise _no_lm(lm)
        if "n" in config or "n" in lm.kwargs:
            _warm_up(config, lm)
        adapter = mine.adapter or self.adapter or settings["adapter"] or default_adapter()
        return adapter, lm, config, signature, demos

    def _check_positional(self, args: tuple[Any, ...]) -> None:
        names = list(self.signature.input_fields)
        example = ", ".join(f"{name}=…" for name in names)
        raise UsageError(
            f"Positional arguments are not allowed when calling `dspx.Predict` (got {len(args)}); "
            f"name the inputs: predict({example})."
        )

    # ------------------------------------------------------------ settings and state

    def update_config(self, **kwargs: Any) -> None:
        self.config = {**self.config, **kwargs}

    def get_config(self) -> dict[str, Any]:
        return self.config

    def prompt(self, **inputs: Any) -> list[dict[str, Any]]:
        """The exact messages that a call with these inputs sends, without sending them."""
        return run(self.aprompt(**inputs))

    async def aprompt(self, **inputs: Any) -> list[dict[str, Any]]:
        """The same for async code."""
        return await self._first_question(inputs)

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """Demos, signature and LM. With `json_mode` demos become plain JSON."""
        return {
            "traces": self.traces,
            "train": self.train,
            "demos": [_dump_demo(demo, json_mode) for demo in self.demos],
            "signature": self.signature.dump_state(),
            "lm": self.lm.dump_state() if self.lm is not None else None,
            **({"config": dict(self.tuned)} if self.tuned else {}),
        }

    def read_state(self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> dict[str, Any]:
        """The attributes that `state` stands for; nothing is changed yet."""
        saved_lm = state.get("lm")
        lm = None
        if saved_lm is not None:
            from dspx.lm.lm import load_lm

            lm = load_lm(saved_lm, allow_unsafe=allow_unsafe_lm_state)
        return {
            "signature": self.signature.load_state(state["signature"]),
            "demos": [Example(demo) if isinstance(demo, dict) else demo for demo in state.get("demos", ())],
            "traces": list(state.get("traces", ())),
            "train": list(state.get("train", ())),
            "lm": lm,
            **(
                {"config": {**self.config, **tuned}, "tuned": tuned} if (tuned := state.get("config")) else {}
            ),
        }

    def take_state(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Signatures are shared: they are values. Demos and the LM are copied, the LM without its history."""
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        Module._base_init(new)
        for name, value in self.__getstate__().items():
            setattr(new, name, value if name == "signature" else copy.deepcopy(value, memo))
        return new

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.signature!r})"


_Question = tuple[Any, Any, dict[str, Any], Any, Any]
"""One call, settled, but for the inputs: adapter, LM, its settings, signature, demos."""

_NOTHING = LeafValues()


def _no_lm(lm: Any) -> UsageError:
    if lm is None:
        return UsageError(
            "No LM is loaded. Choose one: dspx.configure(lm=dspx.LM('openai/gpt-4o-mini')), "
            "with its key in OPENAI_API_KEY."
        )
    if isinstance(lm, str):
        return UsageError(
            f"LM must be an instance of `dspx.BaseLM`, not the string {lm!r}; write dspx.LM({lm!r})."
        )
    return UsageError(
        f"LM must be an instance of `dspx.BaseLM`, not {type(lm).__name__}; subclass dspx.BaseLM."
    )


def _is_predicted_output(value: Any) -> bool:
    """Whether an input named `prediction` is OpenAI's setting of that name: what the answer will mostly be."""
    return isinstance(value, dict) and value.get("type") == "content" and "content" in value


def _warm_up(config: dict[str, Any], lm: Any) -> None:
    """Several completions at temperature 0 would all be the same."""
    n = config.get("n") or lm.kwargs.get("n") or 1
    if n > 1:
        temperature = config.get("temperature")
        if temperature is None:
            temperature = lm.kwargs.get("temperature")
        if temperature is None or temperature <= 0.15:
            config["temperature"] = 0.7


_adapter: Any = None


def default_adapter() -> Any:
    global _adapter
    if _adapter is None:
        from dspx.adapters.chat import ChatAdapter

        _adapter = ChatAdapter()
    return _adapter


def with_instructions(signature: Any, instructions: str) -> Any:
    """The signature with other instructions, made once per text so that adapters compile it once.

    The texts bound last are remembered, as many as a search has under way at once; the others are made again.
    """
    plans = signature.__plans__
    remembered = plans.get("instructed")
    if remembered is None:
        remembered = plans.setdefault("instructed", {})
    derived = remembered.get(instructions)
    if derived is None:
        for oldest in list(remembered)[: max(0, len(remembered) - _MOST_TEXTS + 1)]:
            remembered.pop(oldest, None)
        derived = remembered[instructions] = signature.with_instructions(instructions)
    return derived


_MOST_TEXTS = 256


def _forget_how() -> None:
    """What an LM asked beside the leaves, or a leaf that failed, left behind says nothing of this call."""
    answered_by.set(None)
    asked_again.set(None)


def _note_how(prediction: Prediction) -> None:
    """Say on the prediction what was out of the ordinary: another LM answered, or one had to be asked twice."""
    if (route := answered_by.get()) is not None:
        prediction.set_lm_route(route)
    if (problem := asked_again.get()) is not None:
        prediction.set_reask(problem)
    _forget_how()


# ---------------------------------------------------------------- inputs


def _take_inputs(signature: Any, kwargs: dict[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in the signature's terms: defaults filled in; what is missing, unknown or of another type is warned of."""
    checks = signature.__plans__.get("inputs")
    if checks is None:
        checks = signature.__plans__["inputs"] = _input_checks(signature)
    if kwargs.keys() != checks.keys():
        kwargs = _complete(signature, kwargs)
    if settings["warn_on_type_mismatch"]:
        for name, value in kwargs.items():
            check = checks[name]
            if check is not None and not isinstance(value, check):
                _warn_of_type(signature.input_fields[name], value)
    return kwargs


def _complete(signature: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Field] = signature.input_fields
    unknown = [name for name in kwargs if name not in fields]
    if unknown:
        logger.warning(
            "Input contains fields not in the signature: %s. They are ignored; the signature takes %s.",
            unknown,
            list(fields),
        )
    inputs = {name: value for name, value in kwargs.items() if name in fields}
    for name, field in fields.items():
        if name not in inputs and field.has_default:
            inputs[name] = field.get_default()
    missing = [
        name for name, field in fields.items() if name not in inputs and not _allows_none(field.annotation)
    ]
    if missing:
        logger.warning(
            "Not all input fields were provided to the module. Present: %s. Missing: %s.",
            list(inputs),
            missing,
        )
    return inputs


def _input_checks(signature: Any) -> dict[str, tuple[type, ...] | None]:
    """For each input, the classes of which a value should be one; None where any value will do."""
    return {
        name: None if field.is_type_undefined else _classes_of(field.annotation)
        for name, field in signature.input_fields.items()
    }


def _classes_of(annotation: Any) -> tuple[type, ...] | None:
    if annotation is str:
        return (str, list)
    if annotation is float:
        return (float, int)
    origin = typing.get_origin(annotation)
    if _is_union(annotation):
        parts = [_classes_of(part) for part in typing.get_args(annotation)]
        known = [part for part in parts if part is not None]
        return tuple(cls for part in known for cls in part) if len(known) == len(parts) else None
    if origin is typing.Literal:
        return tuple({type(value) for value in typing.get_args(annotation)})
    cls: Any = origin or annotation
    if not isinstance(cls, type) or cls in (object, typing.Any) or getattr(cls, "_is_protocol", False):
        return None
    if hasattr(cls, "__total__") and issubclass(cls, dict):  # a TypedDict allows no isinstance
        return (dict,)
    return (cls,)


def _is_union(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    return origin is typing.Union or getattr(origin, "__name__", "") == "UnionType"


def _allows_none(annotation: Any) -> bool:
    return _is_union(annotation) and type(None) in typing.get_args(annotation)


def _warn_of_type(field: Field, value: Any) -> None:
    logger.warning(
        "Type mismatch for field %r: expected %s, but the provided value is of type %s: %.100r",
        field.name,
        getattr(field.annotation, "__name__", field.annotation),
        type(value).__name__,
        value,
    )


def _dump_demo(demo: Any, json_mode: bool) -> Any:
    from dspx.core.canonical import to_plain

    values = demo.toDict() if hasattr(demo, "toDict") else dict(demo)
    return to_plain(values) if json_mode else values
