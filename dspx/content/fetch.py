"""Downloads, on request only: constructors of content types never come here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, and the MIME type that the server gave it (`""` where it gave none)."""

    body: bytes
    mime_type: str


def fetch(url: str, *, verify: bool = True, timeout: float | None = 30.0) -> Fetched:
    """Download `url`, redirects followed. `ConnectionError` names the URL and the reason; `timeout` in seconds."""
    import httpx

    try:
        response = httpx.get(url, verify=verify, timeout=timeout, follow_redirects=True)
        response.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConnectionError(f"Could not download {url}: {error or type(error).__name__}") from error
    mime_type = response.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    return Fetched(response.content, mime_type)
