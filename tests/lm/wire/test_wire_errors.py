"""A provider's refusal becomes the error that says what can be done."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
    LMUnsupportedModelError,
)
from dspx.lm.request import Request
from dspx.lm.resolve import resolve
from dspx.lm.wire.errors import retry_after
from dspx.runtime import clock


def refusal(
    status: int, body: Any = None, headers: dict[str, str] | None = None, model: str = "openai/gpt-4o-mini"
) -> LMError:
    endpoint = resolve(model, api_key="sk-very-secret", environ={"AZURE_API_BASE": "https://h"})
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return endpoint.wire.decode_error(status, headers or {}, raw, Request(model, []), endpoint)


def openai(message: str, code: str | None = None, kind: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "type": kind, "param": None}}


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}


def google(status: str, message: str, details: Any = None) -> dict[str, Any]:
    return {"error": {"code": 429, "message": message, "status": status, "details": details or []}}


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, LMInvalidRequestError, False),
        (401, LMAuthError, False),
        (402, LMBillingError, False),
        (403, LMAuthError, False),
        (404, LMInvalidRequestError, False),
        (408, LMTimeoutError, True),
        (409, LMInvalidRequestError, True),
        (413, LMInvalidRequestError, False),
        (422, LMInvalidRequestError, False),
        (429, LMRateLimitError, True),
        (500, LMServerError, True),
        (501, LMServerError, False),
        (502, LMServerError, True),
        (503, LMServerError, True),
        (504, LMTimeoutError, True),
        (529, LMServerError, True),
        (302, LMConfigurationError, False),
    ],
)
def test_the_status_alone_says_this(status: int, kind: type[LMError], retryable: bool):
    error = refusal(status)
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.status == status


@pytest.mark.parametrize(
    ("status", "body", "model"),
    [
        (
            400,
            openai("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
            "openai/gpt-4",
        ),
        (
            400,
            openai("Your input exceeds the context window of this model.", "context_length_exceeded"),
            "openai/gpt-5",
        ),
        (
            400,
            anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            "anthropic/c",
        ),
        (
            400,
            anthropic(
                "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3"
            ),
            "anthropic/c",
        ),
        (
            400,
            google(
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (5).",
            ),
            "gemini/g",
        ),
        (
            400,
            {"object": "error", "message": "This model's maximum context length is 4096 tokens."},
            "vllm/m",
        ),
        (
            400,
            openai("The input (9 tokens) is longer than the model's context length (5 tokens)."),
            "sglang/m",
        ),
        (
            400,
            openai("the request exceeds the available context size", None, "exceed_context_size_error"),
            "llama_cpp/m",
        ),
        (
            400,
            {"message": "Prompt contains 9 tokens, too large for model with 5 maximum context length"},
            "mistral/m",
        ),
        (
            400,
            {"error": "This model's maximum prompt length is 5 but the request contains 9 tokens."},
            "xai/g",
        ),
        (
            413,
            openai("Please reduce the length of the messages or completion.", "context_length_exceeded"),
            "groq/m",
        ),
        (422, openai("`inputs` tokens + `max_new_tokens` must be <= 5"), "together/m"),
    ],
)
def test_a_prompt_too_long_is_recognised_everywhere(status: int, body: Any, model: str):
    error = refusal(status, body, model=model)
    assert type(error) is ContextWindowExceededError
    assert not error.retryable


@pytest.mark.parametrize(
    ("status", "body", "model"),
    [
        (
            429,
            openai("You exceeded your current quota, please check your plan.", "insufficient_quota"),
            "openai/m",
        ),
        (
            400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the API."),
            "anthropic/m",
        ),
        (402, {"error": {"message": "Insufficient Balance"}}, "deepseek/m"),
    ],
)
def test_an_empty_account_is_not_a_rate_limit(status: int, body: Any, model: str):
    error = refusal(status, body, model=model)
    assert type(error) is LMBillingError
    assert not error.retryable


def test_geminis_quota_is_a_rate_limit_with_a_delay():
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    body = google(
        "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing.", details
    )
    error = refusal(429, body, model="gemini/g")
    assert type(error) is LMRateLimitError
    assert error.retry_after == 34.5


def test_too_many_tokens_a_minute_is_a_rate_limit():
    message = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000. Please reduce the length of the messages."
    assert type(refusal(429, openai(message, "rate_limit_exceeded"))) is LMRateLimitError


@pytest.mark.parametrize(
    ("status", "body", "model"),
    [
        (
            404,
            openai("The model `gpt-9` does not exist or you do not have access to it.", "model_not_found"),
            "openai/m",
        ),
        (404, anthropic("not_found_error", "model: claude-nine"), "anthropic/m"),
        (404, google("NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), "gemini/m"),
        (
            404,
            {
                "error": {
                    "code": "DeploymentNotFound",
                    "message": "The API deployment for this resource does not exist.",
                }
            },
            "azure/m",
        ),
        (404, {"error": {"message": 'model "llama9" not found, try pulling it first'}}, "ollama/m"),
        (400, openai("The model `x` has been decommissioned and is no longer supported."), "groq/m"),
    ],
)
def test_an_unknown_model_is_recognised(status: int, body: Any, model: str):
    assert type(refusal(status, body, model=model)) is LMUnsupportedModelError


def test_a_bad_google_key_is_an_auth_error_though_it_says_400():
    error = refusal(
        400, google("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), model="gemini/g"
    )
    assert type(error) is LMAuthError


def test_the_error_says_who_said_what():
    error = refusal(400, openai("Bad things.", "bad_thing"), {"x-request-id": "req_1"})
    assert str(error) == "[openai/gpt-4o-mini] openai answered 400: Bad things."
    assert (error.provider, error.code, error.request_id) == ("openai", "bad_thing", "req_1")


def test_anthropics_request_id_is_in_its_body():
    assert (
        refusal(529, anthropic("overloaded_error", "Overloaded"), model="anthropic/c").request_id
        == "req_body"
    )


def test_a_gateways_html_is_shown_in_part():
    error = refusal(502, b"<html>\n<h1>Bad   Gateway</h1>" + b"x" * 9000)
    assert type(error) is LMServerError
    assert "<html> <h1>Bad Gateway</h1>" in str(error)
    assert len(str(error)) < 400


def test_a_key_echoed_by_the_server_is_not_repeated():
    error = refusal(401, openai("Incorrect API key provided: sk-very-secret."))
    assert "sk-very-secret" not in str(error)


def test_what_secret_headers_hold_is_not_repeated_either():
    model = "openai/gpt-4o-mini"
    endpoint = resolve(
        model, api_key="k", headers={"X-Gateway-Token": "Bearer gateway-secret", "X-Team": "search"}
    )
    request = Request(model, [], {"extra_headers": {"Cookie": "session-secret"}})
    raw = json.dumps(openai("gateway-secret and session-secret mean nothing to k, nor does search")).encode()
    error = endpoint.wire.decode_error(401, {}, raw, request, endpoint)
    assert "[api key] and [api key] mean nothing to k, nor does search" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'{"error": null}',
        b'{"error": {"message": {"a": 1}}}',
        b'{"detail": [{"msg": "x"}]}',
    ],
)
def test_any_body_makes_an_error(body: bytes):
    assert type(refusal(500, body)) is LMServerError


def test_the_server_may_say_itself_whether_to_try_again():
    assert not refusal(500, headers={"x-should-retry": "false"}).retryable
    assert refusal(400, headers={"x-should-retry": "true"}).retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({}, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(headers: dict[str, str], seconds: float | None):
    with clock.use(clock.FakeClock(40.0)):
        assert retry_after(headers) == seconds
        assert refusal(429, headers=headers).retry_after == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 20ms.", 0.02),
        ("Rate limit reached. Please try again in 1.5s.", 1.5),
        ("Rate limit reached. Please try again in 6m12s.", 372.0),
        ("Please retry after 6 seconds.", 6.0),
        ("Please try again in a while.", None),
    ],
)
def test_a_delay_may_be_in_the_words_alone(message: str, seconds: float | None):
    assert refusal(429, openai(message)).retry_after == seconds


def test_an_error_inside_a_200_is_raised_as_what_it_is():
    endpoint = resolve("openrouter/x/y", api_key="k", environ={})
    request = Request("openrouter/x/y", [])
    body = {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "slow down"}}}
    with pytest.raises(LMRateLimitError, match="slow down"):
        endpoint.wire.decode(body, request)
    with pytest.raises(LMServerError):
        endpoint.wire.decode({"choices": [{"error": {"code": 502, "message": "gone"}}]}, request)
