"""Examples to learn from and to judge by: files of rows, known datasets, their parts in fixed random orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

if TYPE_CHECKING:
    from dspx.datasets.banking77 import Banking77 as Banking77
    from dspx.datasets.colors import Colors as Colors
    from dspx.datasets.dataloader import DataLoader as DataLoader
    from dspx.datasets.dataset import Dataset as Dataset
    from dspx.datasets.gsm8k import GSM8K as GSM8K
    from dspx.datasets.gsm8k import gsm8k_metric as gsm8k_metric
    from dspx.datasets.hotpotqa import HotPotQA as HotPotQA
    from dspx.datasets.math import MATH as MATH

_HOME = {
    "Banking77": "dspx.datasets.banking77",
    "Colors": "dspx.datasets.colors",
    "DataLoader": "dspx.datasets.dataloader",
    "Dataset": "dspx.datasets.dataset",
    "GSM8K": "dspx.datasets.gsm8k",
    "HotPotQA": "dspx.datasets.hotpotqa",
    "MATH": "dspx.datasets.math",
    "gsm8k_metric": "dspx.datasets.gsm8k",
}

__getattr__, __dir__ = lazily(__name__, _HOME)


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
