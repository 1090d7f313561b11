"""Let a model read how the program failed, with the metric's feedback, and rewrite its instructions."""

import dspx
from examples.optimizers.task import compile_and_show, lm, task

if __name__ == "__main__":
    optimizer = dspx.GEPA(
        metric=task.feedback_metric(), max_metric_calls=700, reflection_lm=lm, track_stats=True
    )
    compiled = compile_and_show(optimizer)
    pool = compiled.detailed_results
    print(
        f"{len(pool.candidates)} candidates, means {[round(mean, 2) for mean in pool.val_aggregate_scores]}"
    )
