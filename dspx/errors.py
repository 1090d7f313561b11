"""Every exception of dspx, as one tree.

DSPxError (alias DSPyError)
├── UsageError (also ValueError)     the program as written cannot work; the message says what to write
│   ├── SignatureError
│   ├── StateError                   a saved program does not fit this one
│   ├── ConfigurationError           values or a path do not fit a space; .problems
│   └── UnsatisfiableSpace           no configuration was found that meets a space's constraints
├── LMError                          .retryable .retry_after .status .request_id .model .provider .code
│   ├── LMTransportError             no answer arrived: refused, reset, broken off     (retryable)
│   ├── LMLockTimeoutError  LMCollectionLimitError
│   ├── LMConfigurationError → LMNotConfiguredError
│   ├── LMUnsupportedFeatureError
│   ├── LMOverloadedError → LMQueueTimeoutError      dspx's own limiter turned the call away
│   ├── LMCircuitOpenError           the breaker of this endpoint and model is open
│   ├── LMProviderError              the provider answered, and the answer was an error
│   │   ├── LMAuthError  LMBillingError  LMRateLimitError (retryable)
│   │   ├── LMInvalidRequestError → ContextWindowExceededError, LMUnsupportedModelError
│   │   └── LMTimeoutError (retryable)  LMServerError (retryable)
│   └── LMUnexpectedError → LMStreamAssemblyError
├── AdapterParseError                .response .expected .found
├── ToolError
│   ├── ToolArgumentsError (also ValueError)   the arguments do not fit the tool
│   ├── ToolExecutionError (also RuntimeError)   the tool failed
│   ├── ToolRefused                  whoever was asked said no; .reason
│   └── ToolApprovalError            whoever was to be asked failed, so the tool did not run
├── AgentError (also ValueError)    an agent ended without its outputs; .history
├── SandboxError (also RuntimeError) DSPy's CodeInterpreterError: the sandbox failed, not the code in it
│   ├── SandboxStartError            it could not be started; the message says what is missing
│   └── CodeExecutionError           .type .args_given .traceback .stdout .state_lost: the code raised
│       └── SandboxTimeout           the code took too long
├── EvaluationError                  too many examples failed; .failures
├── BudgetExhausted                  there is no room in a budget for the next call; .limit
├── StudyError → SearchDiverged, RunNotFound
└── StoreError → RecordConflict, SchemaTooNew
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class DSPxError(Exception):
    """The root of the tree; `str(error)` starts with `[model]` where a model is known."""

    default_message = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        model: str | None = None,
        provider: str | None = None,
        provider_code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.code = code
        self.model = model
        self.provider = provider
        self.provider_code = provider_code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"[{self.model}] {self.message}" if self.model else self.message


DSPyError = DSPxError


class UsageError(DSPxError, ValueError):
    """The program as written cannot work."""


class SignatureError(UsageError):
    """A signature cannot be built as written."""


class StateError(UsageError):
    """A saved program does not fit the program that loads it."""


class ConfigurationError(UsageError):
    """Values, or a variable, do not fit a space or its program. `problems` lists all of them."""

    def __init__(self, message: str = "", *, problems: Iterable[str] = (), **details: Any) -> None:
        self.problems = list(problems) or [message]
        super().__init__(message or "\n".join(self.problems), **details)


class UnsatisfiableSpace(UsageError):
    """No configuration was found that meets the constraints of a space."""


# ---------------------------------------------------------------- language models


class LMError(DSPxError):
    """Something went wrong on the way to, at, or back from a language model.

    `retryable` says whether the same request may succeed later. It is decided where the error is made
    and can be set per instance.
    """

    retryable: bool = False


class LMTransportError(LMError):
    """No answer arrived: connection refused, reset or broken off."""

    retryable = True


class LMLockTimeoutError(LMError):
    """A lock shared with other processes was not had in time."""

    retryable = True

    def __init__(self, message: str = "", *, path: str = "", lock_path: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.path = path
        self.lock_path = lock_path


class LMCollectionLimitError(LMError):
    """A response was larger than the limit set for collecting it."""

    def __init__(self, message: str = "", *, source: Any = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.source = source


class LMConfigurationError(LMError):
    """The LM's settings contradict each other or the model."""


class LMNotConfiguredError(LMConfigurationError):
    """A key or an address is missing; the message names the variable to set."""


class LMUnsupportedFeatureError(LMError):
    """The model or its endpoint cannot do what the request asks for."""

    def __init__(
        self,
        message: str = "",
        *,
        features: Sequence[str] | None = None,
        feature: str | None = None,
        issues: Sequence[str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.features = list(features or ([feature] if feature else []))
        self.feature = feature or (self.features[0] if self.features else None)
        self.issues = list(issues or [])


class LMOverloadedError(LMError):
    """The limiter's queue is full and was told to reject."""


class LMQueueTimeoutError(LMOverloadedError):
    """The call waited in the limiter's queue for longer than `queue_timeout`."""


class LMCircuitOpenError(LMError):
    """The endpoint failed too often lately; calls are refused until it has had time to recover."""


class LMProviderError(LMError):
    """The provider answered, and its answer was an error."""


class LMAuthError(LMProviderError):
    """The key is wrong or may not do this (401, 403)."""


class LMBillingError(LMProviderError):
    """The account has no credit left (402, or a quota that waiting does not refill)."""


class LMRateLimitError(LMProviderError):
    """Too many requests or tokens (429); `retry_after` in seconds where the provider said so."""

    retryable = True


class LMInvalidRequestError(LMProviderError):
    """The provider cannot read the request (400, 404, 413, 422)."""


class ContextWindowExceededError(LMInvalidRequestError):
    """The prompt is longer than the model's context window."""

    default_message = "Context window exceeded"


class LMUnsupportedModelError(LMInvalidRequestError):
    """The provider does not know this model, or this key may not use it."""


class LMTimeoutError(LMProviderError):
    """No answer within the time allowed, or the provider gave up (408, 504)."""

    retryable = True


class LMServerError(LMProviderError):
    """The provider failed (5xx)."""

    retryable = True


class LMUnexpectedError(LMError):
    """The answer came, but not in the form that the protocol promises."""


class LMStreamAssemblyError(LMUnexpectedError):
    """A stream ended before its answer was whole; `partial` holds what had arrived."""

    def __init__(
        self, message: str = "", *, partial: Any = None, part_index: int | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.partial = partial
        self.part_index = part_index


def is_retryable_lm_error(error: BaseException) -> bool:
    """Whether the same request may succeed when it is sent again."""
    return isinstance(error, LMError) and error.retryable


# ---------------------------------------------------------------- the other layers


class AdapterParseError(DSPxError):
    """An answer could not be read as the signature's outputs.

    Attributes: `response` (the text), `expected` (field names), `found` (the values that could be read),
    `reason` (what was wrong with it), beside DSPy's `adapter_name`, `signature`, `lm_response`, `parsed_result`.
    """

    def __init__(
        self,
        adapter_name: str,
        signature: Any,
        lm_response: str,
        message: str | None = None,
        parsed_result: Any = None,
    ) -> None:
        self.adapter_name = adapter_name
        self.signature = signature
        self.lm_response = lm_response
        self.parsed_result = parsed_result
        self.reason = message
        self.expected = list(getattr(signature, "output_fields", ()))
        super().__init__(self._explain())

    @property
    def response(self) -> str:
        return self.lm_response

    @property
    def found(self) -> dict[str, Any]:
        return dict(self.parsed_result) if isinstance(self.parsed_result, dict) else {}

    def _explain(self) -> str:
        missing = [name for name in self.expected if name not in self.found]
        lines = [self.reason] if self.reason else []
        lines += [
            f"{self.adapter_name} could not read the answer of the language model.",
            f"Expected output fields: {self.expected}",
            f"Found: {list(self.found)}" + (f"; missing: {missing}" if missing and self.found else ""),
            f"The answer was:\n{self.lm_response}",
        ]
        return "\n".join(lines)


class ToolError(DSPxError):
    """A tool could not be called, or failed."""


class ToolArgumentsError(ToolError, ValueError):
    """The arguments do not fit the tool: one is missing, unknown or of another type."""


class ToolExecutionError(ToolError, RuntimeError):
    """The tool was called and failed; the cause says how."""


class ToolRefused(ToolError):
    """An approval hook said no. `reason` is what it said."""

    def __init__(self, message: str = "", *, reason: str = "", **details: Any) -> None:
        super().__init__(message or reason, **details)
        self.reason = reason


class ToolApprovalError(ToolError):
    """An approval hook failed or answered what is no answer; the tool was not run."""


class AgentError(DSPxError, ValueError):
    """An agent ended without its outputs. `history` is what it did."""

    def __init__(self, message: str = "", *, history: Any = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.history = history


class SandboxError(DSPxError, RuntimeError):
    """The code sandbox failed, as distinct from the code that ran in it."""


CodeInterpreterError = SandboxError


class SandboxStartError(SandboxError):
    """The sandbox could not be started; the message says what is missing and how to get it."""


class CodeExecutionError(SandboxError):
    """The code raised. The interpreter can go on.

    Attributes: `type` (the exception's name), `args_given` (its arguments, as JSON has them), `traceback` (of the
    code's own lines), `stdout` (what it had printed), `state_lost` (the interpreter starts afresh with the next
    code: its variables are gone).
    """

    def __init__(
        self,
        message: str = "",
        *,
        type: str = "",
        args_given: Sequence[Any] = (),
        traceback: str = "",
        stdout: str = "",
        state_lost: bool = False,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.args_given = list(args_given)
        self.traceback = traceback
        self.stdout = stdout
        self.state_lost = state_lost


class SandboxTimeout(CodeExecutionError):
    """The code took longer than `timeout`. Its variables are kept unless `state_lost`."""


class EvaluationError(DSPxError):
    """Too many examples failed. `failures` holds `(example, error)` pairs; `result` what was measured so far."""

    def __init__(self, message: str = "", *, failures: Iterable[Any] = (), result: Any = None) -> None:
        super().__init__(message)
        self.failures = list(failures)
        self.result = result


class BudgetExhausted(DSPxError):
    """There is no room in a budget for the next call. An optimizer ends with the best so far."""

    def __init__(self, message: str = "", *, limit: str = "") -> None:
        super().__init__(message)
        self.limit = limit


class StudyError(DSPxError):
    """An optimization cannot go on."""


class SearchDiverged(StudyError):
    """A resumed run is not the run that was recorded; the message names what differs."""


class RunNotFound(StudyError):
    """The store knows no run of this id."""


class StoreError(DSPxError):
    """The store could not do what it was asked."""


class RecordConflict(StoreError):
    """Somebody else wrote this record first."""


class SchemaTooNew(StoreError):
    """The store was written by a newer dspx."""
