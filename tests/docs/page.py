"""A page of documentation as a program: its python blocks, run in order in one namespace.

    ```python            runs; `await` at the top level works, as in a notebook
    ```python no-run     only has to compile: it needs what a test has not (a key, a package, a running server)
    ```python sandbox    runs where a code sandbox can be had; the page's test is skipped elsewhere
    ```output            what the blocks above printed since the last such block; `...` stands for anything

Run as a program, `python -m tests.docs.page docs/index.md`, it runs one page.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import io
import re
import sys
import traceback
import types
from contextlib import redirect_stdout
from dataclasses import dataclass
from inspect import CO_COROUTINE
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, its text, and the line it begins on."""

    info: tuple[str, ...]
    text: str
    line: int

    @property
    def is_python(self) -> bool:
        return self.info[:1] == ("python",)

    @property
    def runs(self) -> bool:
        return self.is_python and "no-run" not in self.info

    @property
    def is_output(self) -> bool:
        return self.info[:1] == ("output",)


def pages() -> list[Path]:
    """The README and every page of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        indent, _, info, body = match.groups()
        line = text.count("\n", 0, match.start(4)) + 1
        lines = [row.removeprefix(indent) for row in body.splitlines(keepends=True)]
        found.append(Block(tuple(info.split()), "".join(lines), line))
    return found


def run(path: Path) -> None:
    """Run the page. AssertionError where an output block does not say what was printed."""
    module = types.ModuleType("__page__")
    sys.modules["__page__"] = module
    loop = asyncio.new_event_loop()
    printed = io.StringIO()
    try:
        for block in blocks(path.read_text()):
            if block.is_python:
                code = _compiled(block, path)
            if block.runs:
                with redirect_stdout(printed):
                    _execute(code, module, loop)
            elif block.is_output:
                _compare(block, printed.getvalue(), path)
                printed.seek(0)
                printed.truncate()
    finally:
        loop.close()


def _compiled(block: Block, path: Path) -> types.CodeType:
    source = "\n" * (block.line - 1) + block.text
    return compile(source, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _execute(code: types.CodeType, module: types.ModuleType, loop: asyncio.AbstractEventLoop) -> None:
    if code.co_flags & CO_COROUTINE:
        loop.run_until_complete(eval(code, module.__dict__))  # noqa: S307  our own docs
    else:
        exec(code, module.__dict__)


def _compare(block: Block, printed: str, path: Path) -> None:
    same = doctest.OutputChecker().check_output(
        block.text, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert same, f"{path}:{block.line} says:\n{block.text}\nbut this was printed:\n{printed}"


def main() -> int:
    try:
        run(Path(sys.argv[1]))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
