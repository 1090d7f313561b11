"""Every python block of the README and of docs/ runs, offline, and prints what the page says it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.page import ROOT, blocks, pages, run
from tests.sandboxes import shared_with_programs

PAGES = [page for page in pages() if any(block.is_python for block in blocks(page.read_text()))]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The embedded server: what `dspx.LM("openai/…")` reaches on the pages."""
    from dspx.testing.server import Server

    with Server(model="schema") as server:
        yield server.api_base


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_the_page_run(page: Path, endpoint: str, tmp_path: Path) -> None:
    for data in page.parent.glob("*.csv"):
        shutil.copy(data, tmp_path)
    needs_sandbox = any("sandbox" in block.info for block in blocks(page.read_text()))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.docs.page", str(page)],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "DSPX_CACHEDIR": str(tmp_path / "cache"),
            **(shared_with_programs() if needs_sandbox else {}),
            "OPENAI_API_KEY": "none",
            "OPENAI_API_BASE": endpoint,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in _LINK.findall(text):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_a_page_whose_output_is_wrong_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1)\n```\n\n```output\n2\n```\n")
    with pytest.raises(AssertionError, match="says"):
        run(page)


def test_blocks_share_a_namespace_and_may_await(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nimport asyncio\nx = 1\n```\n```python\nawait asyncio.sleep(0)\nprint(x)\n```\n```output\n1\n```\n"
    )
    run(page)


def test_a_block_that_is_not_run_must_still_compile(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python no-run\ndef (\n```\n")
    with pytest.raises(SyntaxError):
        run(page)
