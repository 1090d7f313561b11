"""Ask up to N times and keep the best answer."""

from __future__ import annotations

from dspx.modules.attempts import Attempts


class BestOfN(Attempts):
    """`BestOfN(module, N, reward_fn, threshold)`: the attempt with the highest reward.

    `reward_fn(inputs, prediction)` says what a prediction is worth, as a number; it may be sync, async or
    a module. The first attempt that reaches `threshold` ends the search. Each attempt asks under a
    rollout number of its own, at temperature 1.0 where a predictor sets none.

    An attempt that raises is logged and passed over, up to `fail_count` of them in one call (default: `N`);
    when no attempt came through, the last error is raised.

    >>> def one_word(inputs, prediction):
    ...     return float(len(prediction.answer.split()) == 1)
    >>> best = dspx.BestOfN(qa, N=3, reward_fn=one_word, threshold=1.0)
    """
