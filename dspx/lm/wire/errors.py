"""A provider's refusal → the error that says what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dspx.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMUnexpectedError,
    LMUnsupportedModelError,
)
from dspx.runtime import clock


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a provider said was wrong. `code` and `kind` are its own words (OpenAI's `code` and `type`)."""

    message: str = ""
    code: str | None = None
    kind: str | None = None
    retry_after: float | None = None
    request_id: str | None = None


def complaint_of(body: Any) -> Complaint:
    """Read an error body: OpenAI's and Anthropic's `error`, Google's, FastAPI's `detail`, or a plain `message`."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, Mapping):
        return Complaint(str(body) if body else "")
    error = body.get("error", body)
    if not isinstance(error, Mapping):
        return Complaint(str(error), request_id=_word(body.get("request_id")))
    text = error.get("message") or error.get("detail") or error.get("msg") or ""
    if not isinstance(text, str):
        text = orjson.dumps(text).decode()
    # OpenRouter passes the words of the provider behind it on beside its own "Provider returned error".
    metadata = error.get("metadata")
    behind = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return Complaint(
        message=f"{text} ({behind})" if isinstance(behind, str) else text,
        code=_word(error.get("code")),
        kind=_word(error.get("type")) or _word(error.get("status")),
        retry_after=_google_delay(error.get("details")),
        request_id=_word(body.get("request_id")),
    )


def provider_error(
    complaint: Complaint,
    *,
    status: int | None,
    headers: Mapping[str, str],
    model: str,
    provider: str,
    secrets: Iterable[str] = (),
) -> LMError:
    """The error for an answer that was not 2xx, or that was an error in a 200's clothes.

    Its class says what it is, `retryable` whether waiting may help, `retry_after` how long the provider asked for.
    `secrets`, where the provider repeats them, are struck out.
    """
    message = complaint.message or "the provider gave no reason"
    for secret in secrets:
        if len(secret) >= _SECRET_FROM:
            message = message.replace(secret, "[api key]")
    error = _class_of(complaint, status, provider)(
        f"{provider} answered {status}: {message}" if status else f"{provider} reported an error: {message}",
        code=complaint.code or complaint.kind,
        provider_code=complaint.code or complaint.kind,
        model=model,
        provider=provider,
        status=status,
        request_id=_request_id(headers) or complaint.request_id,
        retry_after=retry_after(headers, complaint),
    )
    if status in _RETRYABLE_ANYWAY:
        error.retryable = True
    if status in _NEVER_RETRYABLE:
        error.retryable = False
    advice = headers.get("x-should-retry")
    if advice in ("true", "false"):
        error.retryable = advice == "true"
    return error


def retry_after(headers: Mapping[str, str], complaint: Complaint | None = None) -> float | None:
    """How many seconds the provider asks to wait: from its headers, its error's details, or its message's words."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None and (seconds := _number(milliseconds)) is not None:
        return max(0.0, seconds / 1000)
    value = headers.get("retry-after")
    if value is not None:
        seconds = _number(value)
        return max(0.0, seconds) if seconds is not None else _until(value)
    if complaint is None:
        return None
    return complaint.retry_after if complaint.retry_after is not None else _spoken_delay(complaint.message)


def first_words(body: bytes, limit: int = 200) -> str:
    """The start of a body that cannot be read, on one line, for a message."""
    text = " ".join(body[: limit * 4].decode("utf-8", "replace").split())
    return text[:limit] + ("…" if len(text) > limit or len(body) > limit * 4 else "")


def _class_of(complaint: Complaint, status: int | None, provider: str) -> type[LMError]:
    message = complaint.message[:4000].lower()
    words = {complaint.code, complaint.kind}
    status = status or _status_in(complaint)
    if status not in (401, 403, 429) and (words & _CONTEXT_CODES or _CONTEXT.search(message)):
        return ContextWindowExceededError
    # Gemini words every rate limit as an exceeded quota.
    if status == 402 or words & _BILLING_CODES or (provider != "gemini" and _BILLING.search(message)):
        return LMBillingError
    if status != 429 and (
        words & _MODEL_CODES or (status in (None, 400, 403, 404) and _MODEL.search(message))
    ):
        return LMUnsupportedModelError
    # Google answers a bad key with 400.
    if "api_key_invalid" in message or "api key not valid" in message:
        return LMAuthError
    if status is None:
        return _BY_KIND.get(complaint.kind or complaint.code or "", LMServerError)
    if 300 <= status < 400:
        return LMConfigurationError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return (
        LMInvalidRequestError
        if 400 <= status < 500
        else LMServerError
        if status >= 500
        else LMUnexpectedError
    )


def _status_in(complaint: Complaint) -> int | None:
    """Servers that report an error inside a 200 put the HTTP status into `code`."""
    code = complaint.code or ""
    return int(code) if code.isdigit() and 300 <= int(code) < 600 else None


_BY_STATUS: dict[int, type[LMError]] = {
    401: LMAuthError,
    403: LMAuthError,
    408: LMTimeoutError,
    429: LMRateLimitError,
    498: LMRateLimitError,
    504: LMTimeoutError,
    524: LMTimeoutError,
}

# Errors inside a stream have a kind and no status.
_BY_KIND: dict[str, type[LMError]] = {
    "authentication_error": LMAuthError,
    "permission_error": LMAuthError,
    "UNAUTHENTICATED": LMAuthError,
    "PERMISSION_DENIED": LMAuthError,
    "billing_error": LMBillingError,
    "invalid_request_error": LMInvalidRequestError,
    "invalid_prompt": LMInvalidRequestError,
    "not_found_error": LMInvalidRequestError,
    "request_too_large": LMInvalidRequestError,
    "INVALID_ARGUMENT": LMInvalidRequestError,
    "rate_limit_error": LMRateLimitError,
    "rate_limit_exceeded": LMRateLimitError,
    "RESOURCE_EXHAUSTED": LMRateLimitError,
    "timeout_error": LMTimeoutError,
    "DEADLINE_EXCEEDED": LMTimeoutError,
}

_SECRET_FROM = 8  # letters; shorter ones would be found in ordinary words
_RETRYABLE_ANYWAY = (409, 425)
_NEVER_RETRYABLE = (501, 505)
_CONTEXT_CODES = {
    "context_length_exceeded",
    "context_window_exceeded",
    "model_context_window_exceeded",
    "exceed_context_size_error",
}
_BILLING_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_error", "billing_not_active"}
_MODEL_CODES = {"model_not_found", "model_not_available", "DeploymentNotFound", "invalid_model"}

# The words of OpenAI, vLLM, SGLang, llama.cpp, Anthropic, Gemini, Mistral, xAI, Groq, Together, Bedrock and Databricks.
_CONTEXT = re.compile(
    r"maximum context length|context[ _]length exceeded|exceeds? (?:the |this )?(?:model'?s? )?(?:maximum )?context"
    r"|longer than the model'?s context|prompt is too long|input is too long|exceeds the available context size"
    r"|exceed(?:s|ed)? (?:the )?(?:model'?s )?context (?:limit|window|length)|maximum prompt length"
    r"|input token count .{0,80}exceeds the maximum|too large for model with \d+ maximum"
    r"|reduce the length of (?:the|your) (?:messages|prompt|input)|`inputs` tokens \+ `max_new_tokens`"
    r"|too many (?:input )?tokens.{0,60}(?:context|maximum)"
)
_BILLING = re.compile(
    r"credit balance is too low|exceeded your current quota|insufficient (?:balance|credits?|quota|funds)"
    r"|billing hard limit|requires more credits|run out of credits|payment required"
)
_MODEL = re.compile(
    r"model\W.{0,100}?(?:does not exist|not found|not available|is not supported|not allowed|no longer available"
    r"|has been (?:deprecated|decommissioned)|not have access)|(?:does not|do not) have access to (?:the )?model"
    r"|unknown model|no such model|^model: |not a valid model|models/\S+ is not (?:found|supported)"
    r"|api deployment for this resource does not exist"
)
_DELAY = re.compile(r"(?:try again|retry) (?:in|after) (?:(\d+)m(?!s))?\s*(\d+(?:\.\d+)?)?\s*(ms|s\b|sec)?")
_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
    "x-goog-request-id",
    "cf-ray",
)


def _request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _REQUEST_IDS if name in headers), None)


def _until(date: str) -> float | None:
    from email.utils import parsedate_to_datetime  # slow to import, and rarely needed

    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - clock.time())


def _spoken_delay(message: str) -> float | None:
    """OpenAI: "Please try again in 1m3.2s" or "in 20ms"; Azure: "Please retry after 6 seconds"."""
    found = _DELAY.search(message[:4000].lower())
    if found is None or not (found[1] or found[2]):
        return None
    rest = float(found[2] or 0)
    return int(found[1] or 0) * 60 + (rest / 1000 if found[3] == "ms" else rest)


def _google_delay(details: Any) -> float | None:
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        if isinstance(delay, str) and (seconds := _number(delay.removesuffix("s"))) is not None:
            return seconds
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and value != "" else None
