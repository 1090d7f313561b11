"""Several programs as one, by majority; and demonstrations looked up for each question."""

import re

import numpy as np

import dspx
from examples.optimizers.task import lm, program, task


def vectors(texts: list[str]) -> np.ndarray:
    """Texts as counts of their words: an embedder for an example without a network."""
    table = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in zip(table, texts, strict=True):
        for word in re.findall(r"[a-z]+", text.lower()):
            row[sum(map(ord, word)) % 256] += 1
    return table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1)


if __name__ == "__main__":
    dspx.configure(lm=lm)
    evaluate = dspx.Evaluate(devset=task.val, metric=task.metric, num_threads=8)
    search = dspx.BootstrapRS(task.metric, num_candidate_programs=3)
    best = search.compile(program(), trainset=task.train, valset=task.val[:40]).candidate_programs
    together = dspx.Ensemble(reduce_fn=dspx.majority).compile([one["program"] for one in best[:3]])
    nearest = dspx.KNNFewShot(4, task.train, vectors, metric=task.metric).compile(program())
    for name, one in (("alone", program()), ("three by majority", together), ("nearest examples", nearest)):
        print(f"{name}: {evaluate(one).score} %")
