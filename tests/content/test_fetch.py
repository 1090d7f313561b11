"""Downloads on request."""

from __future__ import annotations

import httpx
import pytest
import respx

from dspx.content.fetch import Fetched, fetch

URL = "https://example.com/x"


@respx.mock
def test_a_redirect_is_followed_and_the_type_is_clean():
    respx.get(URL).mock(return_value=httpx.Response(302, headers={"location": f"{URL}/y"}))
    respx.get(f"{URL}/y").mock(
        return_value=httpx.Response(
            200, content=b"abc", headers={"content-type": "Text/Plain; charset=utf-8"}
        )
    )
    assert fetch(URL) == Fetched(b"abc", "text/plain")


@respx.mock
def test_a_body_without_a_type_is_kept():
    respx.get(URL).mock(return_value=httpx.Response(200, content=b"abc"))
    assert fetch(URL) == Fetched(b"abc", "")


@respx.mock
def test_a_failure_names_the_url_and_the_reason():
    respx.get(URL).mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(ConnectionError, match=r"example\.com/x: refused"):
        fetch(URL)


def test_what_is_no_url_is_named():
    with pytest.raises(ConnectionError, match="Could not download"):
        fetch("https://[bad")
