"""The page of public names, written from the lists in `dspx.compat`: `python -m tests.docs.public_names` writes it."""

from __future__ import annotations

from tests.docs.page import ROOT

PAGE = ROOT / "docs" / "reference" / "public-names.md"


def text() -> str:
    """The page as the lists of today make it."""
    from dspx.compat import names
    from dspx.compat.paths import PACKAGES, PATHS, TOP_LEVEL

    return "\n".join(
        [
            "# DSPy's public names",
            "",
            "What of DSPy 3.4.1's names dspx has, what comes later, and what it does without. A test compares these lists with DSPy's own.",
            "",
            "## Here",
            "",
            f"`dspx.…`: {_listed(TOP_LEVEL)}",
            "",
            "Under DSPy's import paths, `from dspx.… import …`: "
            + _listed(" ".join(sorted({*PATHS, *PACKAGES}))),
            "",
            "## Later",
            "",
            *_rows(names.LATER, names.LATER_MODULES),
            "",
            "## Not offered",
            "",
            *_rows(names.NOT_OFFERED, names.NOT_OFFERED_MODULES),
            "",
        ]
    )


def _rows(names: dict[str, str], modules: dict[str, str]) -> list[str]:
    lines = ["| why | names | modules |", "|---|---|---|"]
    for reason in {**names, **modules}:
        lines.append(f"| {reason} | {_listed(names.get(reason, ''))} | {_listed(modules.get(reason, ''))} |")
    return lines


def _listed(names: str) -> str:
    return " ".join(f"`{name}`" for name in names.split())


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
