"""The code in an answer, whatever stands around it."""

from __future__ import annotations

import pytest

from dspx.modules.code.source import code_in


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = 1\nx", "x = 1\nx"),
        ("```python\nx = 1\n```", "x = 1"),
        ("Here it is:\n```py\nx = 1\n```\nDone.", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("```bash\nls\n```\n```python\nx = 1\n```", "x = 1"),
        ("```bash\nls\n```", "ls"),
        ("```python\ntext = '''\n```inside'''\n```", "text = '''\n```inside'''"),
        ("~~~python\n    indented()\n~~~", "    indented()"),
        ("  ```python\n  x\n  ```", "  x"),
        ("", ""),
    ],
)
def test_fences_go_and_code_stays(text: str, code: str) -> None:
    assert code_in(text) == code
