"""Think first: a `reasoning` output before the signature's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, overload

from dspx.core.calls import entrance
from dspx.core.fields import OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import Signature, ensure_signature
from dspx.modules.predict import P, Predict, S_co

if TYPE_CHECKING:
    from dspx.lm.base import BaseLM


class ChainOfThought(Module, Generic[P, S_co]):
    """`ChainOfThought(signature, **config)`; the prediction has `reasoning` beside the signature's outputs.

    `rationale_field` is another field to hold the reasoning (an `OutputField`, say with a description of
    your own); `rationale_field_type` its type where it is not text.
    """

    @overload
    def __init__(
        self: ChainOfThought[..., Prediction],
        signature: str | Signature,
        rationale_field: Any = None,
        rationale_field_type: Any = str,
        **config: Any,
    ) -> None: ...
    @overload
    def __init__(
        self,
        signature: Callable[P, S_co],
        rationale_field: Any = None,
        rationale_field_type: Any = str,
        **config: Any,
    ) -> None: ...
    def __init__(
        self,
        signature: Any,
        rationale_field: Any = None,
        rationale_field_type: Any = str,
        **config: Any,
    ) -> None:
        super().__init__()
        field = OutputField(desc="${reasoning}") if rationale_field is None else rationale_field
        type_ = rationale_field_type if rationale_field is None else rationale_field.annotation
        extended: Any = ensure_signature(signature).prepend("reasoning", field, type_)
        self.predict: Any = Predict(extended, **config)

    @property
    def base_signature(self) -> Any:
        """What is asked, without the reasoning."""
        return self.predict.signature.delete("reasoning")

    async def aforward(self, **kwargs: Any) -> Any:
        return await entrance(self.predict)(**kwargs)

    if TYPE_CHECKING:

        @overload
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> S_co: ...
        @overload
        def __call__(self, *, config: Mapping[str, Any], **inputs: Any) -> S_co: ...
        @overload
        def __call__(self, *, lm: BaseLM, **inputs: Any) -> S_co: ...
        @overload
        def __call__(self, *, demos: Sequence[Any], **inputs: Any) -> S_co: ...
        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

        @overload
        async def acall(self, *args: P.args, **kwargs: P.kwargs) -> S_co: ...
        @overload
        async def acall(self, *, config: Mapping[str, Any], **inputs: Any) -> S_co: ...
        @overload
        async def acall(self, *, lm: BaseLM, **inputs: Any) -> S_co: ...
        @overload
        async def acall(self, *, demos: Sequence[Any], **inputs: Any) -> S_co: ...
        async def acall(self, *args: Any, **kwargs: Any) -> Any: ...
