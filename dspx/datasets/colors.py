"""Names of colours, those of CSS written as words, cut so that training and evaluation share few endings."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from dspx.datasets.dataset import Dataset

_TRAIN_SHARE = 0.6


class Colors(Dataset):
    """Examples with `color`, in the parts `train` (82) and `dev` (55). It needs no download.

    With `sort_by_suffix` names that end alike are in one part: all the blues in one, all the reds in the other.
    """

    def __init__(self, sort_by_suffix: bool = True, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = " ".join(_NAMES.split()).split(", ")
        if sort_by_suffix:
            names = self.sorted_by_suffix(names)
        else:
            Random(0).shuffle(names)
        cut = int(len(names) * _TRAIN_SHARE)
        self._train = [{"color": name} for name in names[:cut]]
        self._dev = [{"color": name} for name in names[cut:]]
        Random(0).shuffle(self._train)
        Random(0).shuffle(self._dev)

    def sorted_by_suffix(self, colors: Sequence[Any]) -> list[Any]:
        """Strings, or dicts with `color`, in the order of what they end in."""
        return sorted(colors, key=lambda color: (color if isinstance(color, str) else color["color"])[::-1])


_NAMES = """
alice blue, antique white, aqua, aquamarine, azure, beige, bisque, black, blanched almond, blue, blue
violet, brown, burlywood, cadet blue, chartreuse, chocolate, coral, corn silk, cornflower blue, crimson,
cyan, dark cyan, dark goldenrod, dark gray, dark green, dark khaki, dark magenta, dark olive green, dark
orange, dark orchid, dark red, dark salmon, dark sea green, dark slate blue, dark slate gray, dark
turquoise, dark violet, deep pink, deep sky blue, dim gray, dodger blue, fire brick, floral white, forest
green, fuchsia, gainsboro, ghost white, gold, goldenrod, gray, green, green yellow, honeydew, hot pink,
indian red, ivory, khaki, lavender, lavender blush, lawn green, lemon chiffon, light coral, light goldenrod
yellow, light gray, light green, light pink, light salmon, light sea green, light sky blue, light slate
gray, light steel blue, light yellow, lime, lime green, linen, magenta, maroon, medium aquamarine, medium
blue, medium orchid, medium purple, medium sea green, medium slate blue, medium spring green, medium
turquoise, medium violet red, mint cream, misty rose, moccasin, navajo white, navy blue, old lace, olive,
olive drab, olive green, orange, orange red, orchid, pale goldenrod, pale green, pale turquoise, pale violet
red, papaya whip, peach puff, peru, pink, plum, powder blue, purple, rebecca purple, red, rosy brown, royal
blue, saddle brown, salmon, sandy brown, sea green, seashell, sienna, silver, sky blue, slate blue, slate
gray, snow, spring green, steel blue, tan, teal, thistle, tomato, turquoise, violet, wheat, white, white
smoke, yellow, yellow green
"""
