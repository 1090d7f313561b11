"""The seam to LiteLLM, for providers that dspx does not speak to itself: `LM(…, engine="litellm")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dspx.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
    LMUnexpectedError,
    LMUnsupportedModelError,
)
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.runtime.bridge import is_blocking

if TYPE_CHECKING:
    from dspx.lm.lm import LM

# LiteLLM's exceptions by name, the most particular first.
_ERRORS: tuple[tuple[str, type[LMError]], ...] = (
    ("ContextWindowExceededError", ContextWindowExceededError),
    ("AuthenticationError", LMAuthError),
    ("PermissionDeniedError", LMAuthError),
    ("NotFoundError", LMUnsupportedModelError),
    ("RateLimitError", LMRateLimitError),
    ("Timeout", LMTimeoutError),
    ("BadRequestError", LMInvalidRequestError),
    ("APIConnectionError", LMTransportError),
    ("ServiceUnavailableError", LMServerError),
    ("InternalServerError", LMServerError),
    ("APIError", LMServerError),
)


class LiteLLMEngine:
    """Asks through `litellm.completion`. Retries, cache and limits stay dspx's; nothing streams in pieces."""

    def __init__(self, lm: LM) -> None:
        try:
            import litellm  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise LMConfigurationError(
                'engine="litellm" needs LiteLLM: pip install "dspx[litellm]".', model=lm.model
            ) from error
        self._litellm: Any = litellm
        self._connection = lm.connection

    async def generate(self, request: Request) -> Response:
        asked: dict[str, Any] = {
            "model": request.model,
            "messages": request.messages,
            "num_retries": 0,
            **self._connection,
            **request.params,
        }
        try:
            if is_blocking():
                raw = self._litellm.completion(**asked)
            else:
                raw = await self._litellm.acompletion(**asked)
        except Exception as error:
            raise _translated(error, request) from error
        return Response.from_openai(raw, model=request.model)


def _translated(error: Exception, request: Request) -> LMError:
    names = {cls.__name__ for cls in type(error).__mro__}
    kind = next((ours for name, ours in _ERRORS if name in names), LMUnexpectedError)
    status = getattr(error, "status_code", None)
    return kind(str(error), model=request.model, status=status if isinstance(status, int) else None)
