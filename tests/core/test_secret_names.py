import pytest

from dspx.core.secret_names import is_secret, is_secret_header, without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "azure_ad_token",
        "azure_ad_token_provider",
        "aws_secret_access_key",
        "aws_session_token",
        "vertex_credentials",
        "extra_headers",
        "Authorization",
    ],
)
def test_a_setting_that_lets_somebody_in_is_a_secret(name):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "temperature", "stop", "logprobs", "api_base", "prompt_cache_key"]
)
def test_a_setting_of_a_request_is_none(name):
    assert not is_secret(name)


def test_a_header_that_names_a_key_a_token_or_a_cookie_is_a_secret():
    assert all(
        map(
            is_secret_header,
            ("Authorization", "x-api-key", "X-Goog-Api-Key", "Cookie", "x-amz-security-token"),
        )
    )
    assert not any(map(is_secret_header, ("content-type", "x-request-id", "user-agent")))


def test_data_is_kept_without_secrets_at_any_depth():
    data = {
        "api_key": "sk-1",
        "extra": [{"Authorization": "Bearer x", "max_tokens": 5}],
        "api_base": "https://me:hunter2@models.example/v1",
    }
    assert without_secrets(data) == {
        "extra": [{"max_tokens": 5}],
        "api_base": "https://models.example/v1",
    }
