"""A program: code that calls modules, of which the leaves ask a language model.

    class Answer(dspx.Module):
        def __init__(self):
            self.search = dspx.Predict("question -> query")
            self.answer = dspx.ChainOfThought("question, passages -> answer")

        def forward(self, question):
            query = self.search(question=question).query
            return self.answer(question=question, passages=find(query))

Write one body, `forward` or `aforward`; the other is derived. `program(...)` and
`await program.acall(...)` both work, whichever it is.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dspx.core import state as program_state
from dspx.core import tree
from dspx.core.asking import first_question
from dspx.core.calls import entrance, stepped
from dspx.core.candidate import Candidate, bound, candidate_of, in_place_of
from dspx.core.events import aobserve
from dspx.core.prediction import Prediction
from dspx.core.ring import Ring
from dspx.core.settings import snapshot
from dspx.core.trace import callers
from dspx.core.usage import current_tracker, track_usage
from dspx.errors import UsageError
from dspx.runtime.bridge import call, in_thread, is_async_here, is_blocking, on_background_loop, run

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("dspx.module")


class Parameter:
    """The marker of a leaf: something with a state that optimizers tune and `save` keeps."""


class ProgramMeta(type):
    """Readies an instance before its `__init__` runs, so that nobody need call `super().__init__()`."""

    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            instance = cls.__new__(cls, *args, **kwargs)
            if isinstance(instance, cls):
                Module._base_init(instance)
                cls.__init__(instance, *args, **kwargs)
            return instance


class Module(metaclass=ProgramMeta):
    """Base of every program and part of a program."""

    callbacks: list[Any]
    history: Ring[dict[str, Any]]
    _compiled: bool

    provenance: dict[str, Any] | None = None
    """Where the program came from (optimizer, run, score), as JSON data: `save` keeps it, `load` restores it."""

    _sync_body: bool = False
    _async_body: bool = False
    _async_body_steps: bool = False
    _one_body: bool = False

    def __init__(self, callbacks: list[Any] | None = None) -> None:
        if callbacks is not None:
            self.callbacks = callbacks

    def _base_init(self) -> None:
        self._compiled = False
        self.callbacks = []
        self.history = Ring()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Decide which body runs: of `forward` and `aforward`, the one lower in the class's order of bases."""
        super().__init_subclass__(**kwargs)
        owners = cls.__mro__[: cls.__mro__.index(Module)]  # a mixin may bring a body without being a module
        for owner in owners:
            has_sync, has_async = "forward" in vars(owner), "aforward" in vars(owner)
            if has_sync or has_async:
                cls._sync_body, cls._async_body = has_sync, has_async
                break
        coroutine_owner = next((owner for owner in owners if "aforward" in vars(owner)), cls)
        # dspx's own coroutines never wait in a sync call, so they can be stepped; a user's may.
        cls._async_body_steps = coroutine_owner.__module__.partition(".")[0] == "dspx"
        cls._one_body = cls._async_body and not cls._sync_body and cls._async_body_steps

    # ------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return run(stepped(self)(*args, **kwargs))

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """The same call for async code: `await program.acall(question=…)`."""
        if args:
            self._check_positional(args)
        outer, values = callers.get(), bound.get()
        if values is not None and (other := in_place_of(values, self, outer)) is not None:
            return await other(*args, **kwargs)
        token = callers.set((*outer, self))
        try:
            settings = snapshot()
            if settings["track_usage"] and current_tracker() is None:
                return await self._tracked(args, kwargs)
            if settings["callbacks"] or self.callbacks:
                return await self._observed(args, kwargs)
            return await self._body(args, kwargs)
        finally:
            callers.reset(token)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The body. Override this or `aforward`."""
        self._check_has_body()
        return run(self._blocking_aforward(args, kwargs))

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """The body for async code. Override this or `forward`."""
        self._check_has_body()
        return await call(self.forward, *args, **kwargs)

    def _check_positional(self, args: tuple[Any, ...]) -> None:
        """Whether inputs may be given without their names: a program's own body decides."""

    def _observed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        return aobserve("module", self, lambda: {"args": args, "kwargs": kwargs}, self._body, args, kwargs)

    def _body(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
        """The body to await; the same one in both kinds of call for the modules of dspx itself."""
        if self._one_body and "forward" not in self.__dict__:
            return self.aforward(*args, **kwargs)
        return self._fitting_body(args, kwargs)

    async def _fitting_body(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rebound = self.__dict__.get("forward")
        if rebound is not None:
            return await call(rebound, *args, **kwargs)
        if not is_blocking():
            if self._async_body:
                return await self.aforward(*args, **kwargs)
            self._check_has_body()
            return await in_thread(self.forward, *args, **kwargs)
        if self._sync_body:
            return self.forward(*args, **kwargs)
        self._check_has_body()
        return await self._blocking_aforward(args, kwargs)

    async def _blocking_aforward(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The async body in a sync call. On a thread that runs a loop stepping it is the only way."""
        if self._async_body_steps or is_async_here():
            return await self.aforward(*args, **kwargs)
        return on_background_loop(self.aforward, *args, **kwargs)

    def _check_has_body(self) -> None:
        if not (self._sync_body or self._async_body or "forward" in self.__dict__):
            raise UsageError(f"{type(self).__name__} has no body: define `forward` or `aforward`.")

    async def _tracked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with track_usage() as usage:
            result = await self._observed(args, kwargs)
        prediction = result[0] if isinstance(result, tuple) and result else result
        if isinstance(prediction, Prediction):
            prediction.set_lm_usage(usage.get_total_tokens())
        else:
            logger.warning(
                "Usage was tracked, but %s returned %s and not a Prediction to put it on.",
                type(self).__name__,
                type(result).__name__,
            )
        return result

    def batch(
        self,
        examples: Sequence[Any],
        num_threads: int | None = None,
        max_errors: int | None = None,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: float | None = None,
        straggler_limit: int = 3,
    ) -> Any:
        """Run the program on each example's inputs, `num_threads` at a time; results keep the order.

        A failed example gives None; with `return_failed_examples`, the value is
        `(results, failed examples, their exceptions)`. `EvaluationError` once `max_errors` have failed.
        """
        return run(
            self.abatch(
                examples,
                num_threads,
                max_errors,
                return_failed_examples,
                provide_traceback,
                disable_progress_bar,
                timeout,
            )
        )

    async def abatch(
        self,
        examples: Sequence[Any],
        num_threads: int | None = None,
        max_errors: int | None = None,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """`batch` for async code: `num_threads` tasks instead of threads; `timeout` in seconds per example."""
        from dspx.core.batch import run_batch

        async def one(example: Any) -> Any:
            inputs = example.inputs() if hasattr(example, "inputs") else example
            return await entrance(self)(**dict(inputs.items()))

        done = await run_batch(
            one,
            examples,
            workers=num_threads,
            max_errors=max_errors,
            provide_traceback=provide_traceback,
            label=None if disable_progress_bar else "Processed",
            timeout=timeout,
        )
        if not return_failed_examples:
            return done.values
        return done.values, [examples[index] for index in done.errors], list(done.errors.values())

    def stream(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """The events of one call while it runs: `async for event in program.stream(question=…)`.

        Pieces of output fields as they arrive, their values, at last `Final`: see `dspx.streaming`.
        """
        from importlib import import_module

        return import_module("dspx.streaming").stream(self, *args, **kwargs)

    # ------------------------------------------------------------ parts

    def named_parameters(self) -> list[tuple[str, Any]]:
        """The leaves by path, in the order in which they were assigned."""
        return tree.named_parts(self, _is_parameter, _is_module)

    def parameters(self) -> list[Any]:
        return [leaf for _, leaf in self.named_parameters()]

    def named_predictors(self) -> list[tuple[str, Any]]:
        """The leaves that ask a language model, by path."""
        return [
            (name, leaf) for name, leaf in self.named_parameters() if getattr(leaf, "is_predictor", False)
        ]

    def predictors(self) -> list[Any]:
        return [leaf for _, leaf in self.named_predictors()]

    def named_tools(self) -> list[tuple[str, Any]]:
        """The tools by path, such as `agent.tools['search']`: their descriptions can be tuned."""
        return tree.named_parts(self, _is_tool, _is_module)

    def named_sub_modules(
        self, type_: type[Any] | None = None, skip_compiled: bool = False
    ) -> Generator[tuple[str, Any]]:
        wanted = type_ or Module
        return tree.named_sub_modules(self, lambda item: isinstance(item, wanted), _is_module, skip_compiled)

    def map_named_predictors(self, func: Callable[[Any], Any]) -> Self:
        """Replace each predictor by `func(predictor)`, in place."""
        for name, predictor in self.named_predictors():
            tree.set_part(self, name, func(predictor))
        return self

    def set_attribute_by_name(self, name: str, value: Any) -> None:
        tree.set_part(self, name, value)

    def set_lm(self, lm: Any) -> None:
        """Use this LM in every predictor."""
        for _, leaf in self.named_predictors():
            leaf.lm = lm

    def get_lm(self) -> Any:
        """The LM that all predictors use. `ValueError` where they use several, or there are no predictors."""
        lms = {id(leaf.lm): leaf.lm for leaf in self.predictors()}
        if len(lms) == 1:
            return next(iter(lms.values()))
        raise ValueError(
            "Multiple LMs are being used in the module." if lms else "The module has no predictors."
        )

    # ------------------------------------------------------------ values

    def candidate(self) -> Candidate:
        """The program's values, variable by variable: every leaf's instructions and demos."""
        return candidate_of(self)

    def install(self, candidate: Candidate) -> Self:
        """Take over a candidate's values for good. For one call, `with candidate.using(program): …`.

        A candidate of a space brings what its variables are bound to: `space.install(program, candidate)`.
        """
        candidate.install(self)
        return self

    # ------------------------------------------------------------ copies

    def deepcopy(self) -> Self:
        """An independent copy. What cannot be copied (a socket, a lock) is shared, and a warning says so."""
        return _copied(self, {}, type(self).__name__)

    def reset_copy(self) -> Self:
        """A copy without demos, traces or LMs of its own."""
        new = self.deepcopy()
        for parameter in new.parameters():
            parameter.reset()
        if isinstance(new.provenance, dict):
            new.provenance = None
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("history", "callbacks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Module._base_init(self)
        for name, value in state.items():
            setattr(self, name, value)

    # ------------------------------------------------------------ keeping

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """Each leaf's state by path, and that of tools whose texts were changed. `json_mode` makes every value plain JSON."""
        tuned = [(name, tool) for name, tool in self.named_tools() if tool.is_tuned]
        return {
            name: part.dump_state(json_mode=json_mode) for name, part in [*self.named_parameters(), *tuned]
        }

    def load_state(
        self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False, strict: bool = True
    ) -> None:
        """Take over a dumped state; all of it or, on an error, none. `strict=False` takes over what fits."""
        program_state.load_into(self, state, allow_unsafe_lm_state=allow_unsafe_lm_state, strict=strict)

    def save(
        self,
        path: str | Path,
        save_program: bool = False,
        modules_to_serialize: Sequence[Any] | None = None,
        allow_pickle: bool = False,
    ) -> None:
        """Write the state as JSON (`path` ends in `.json`).

        `save_program=True` writes the whole program, code included, to a folder, by cloudpickle: loading it
        runs code, so both ends must ask for it.
        """
        program_state.save(self, path, save_program, modules_to_serialize)

    def load(
        self,
        path: str | Path,
        allow_pickle: bool = False,
        allow_unsafe_lm_state: bool = False,
        *,
        strict: bool = True,
    ) -> None:
        """Read a state that `save` wrote, or one that DSPy 3.4 wrote as JSON.

        `StateError` names every leaf and field in which the program and the file differ, and nothing is
        changed. With `strict=False` what fits is loaded, and a warning tells the rest.
        """
        program_state.load(self, path, allow_pickle, allow_unsafe_lm_state, strict)

    # ------------------------------------------------------------ showing

    def prompt(self, *, leaf: str | None = None, **inputs: Any) -> list[dict[str, Any]]:
        """The exact messages that a call with these inputs sends first, without sending them.

        The program runs up to its first question, in this context's adapter and LM; what it does before that
        (a retriever, a tool) is done. With `leaf="answer"`, the inputs are that leaf's, and only it is asked.
        """
        return run(self.aprompt(leaf=leaf, **inputs))

    async def aprompt(self, *, leaf: str | None = None, **inputs: Any) -> list[dict[str, Any]]:
        """The same for async code."""
        return await (self if leaf is None else self._predictor(leaf))._first_question(inputs)

    async def _first_question(self, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        stand_in = import_module("dspx.lm.base").BaseLM("none")
        return await first_question(lambda: entrance(self)(**inputs), type(self).__name__, stand_in)

    def _predictor(self, name: str) -> Any:
        leaves = dict(self.named_predictors())
        if name not in leaves:
            raise UsageError(f"There is no leaf {name!r}; {type(self).__name__} has {list(leaves)}.")
        return leaves[name]

    def inspect_history(self, n: int = 1, file: Any = None) -> None:
        """Print the last `n` LM calls that this program made."""
        import_module("dspx.lm.history").show(self.history, n, file)

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {leaf!r}" for name, leaf in self.named_predictors())


BaseModule = Module


def _copied(value: Any, memo: dict[int, Any], name: str) -> Any:
    attempt = dict(memo)  # a copy that fails half way leaves nothing behind
    try:
        new = copy.deepcopy(value, attempt)
    except Exception:  # noqa: BLE001  a user's attribute may refuse in any way
        return _copied_in_parts(value, memo, name)
    memo.update(attempt)
    return new


def _copied_in_parts(value: Any, memo: dict[int, Any], name: str) -> Any:
    """A module, list, tuple or dict of copies; what has no such parts is shared."""
    new: Any
    if isinstance(value, Module):
        new = memo[id(value)] = type(value).__new__(type(value))
        Module._base_init(new)
        for part, inner in value.__getstate__().items():
            setattr(new, part, _copied(inner, memo, f"{name}.{part}"))
    elif type(value) in (list, tuple):
        new = type(value)(_copied(item, memo, f"{name}[{place}]") for place, item in enumerate(value))
        memo[id(value)] = new
    elif type(value) is dict:
        new = {key: _copied(item, memo, f"{name}[{key!r}]") for key, item in value.items()}
        memo[id(value)] = new
    else:
        logger.warning("%s cannot be copied; the copy shares it.", name)
        new = memo[id(value)] = value
    return new


def _is_module(value: Any) -> bool:
    return isinstance(value, Module)


def _is_parameter(value: Any) -> bool:
    return isinstance(value, Parameter)


def _is_tool(value: Any) -> bool:
    return getattr(type(value), "is_tool", False) is True
