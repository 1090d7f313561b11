import asyncio

import numpy as np
import pytest

import dspx
from dspx.errors import UsageError
from dspx.modules.knn import KNN

WORDS = ["red", "green", "blue"]
TRAINSET = [
    dspx.Example(colour=colour, size=size, label=size).with_inputs("colour", "size")
    for size, colour in enumerate(["red green", "red", "blue", "red red red"])
]


def vectorizer(texts):
    vectorizer.seen.append(texts)
    return [[text.count(word) for word in WORDS] for text in texts]


vectorizer.seen = []


def test_the_nearest_come_first_and_of_equals_the_earlier():
    knn = KNN(3, TRAINSET, vectorizer)
    for found in (knn(colour="red"), asyncio.run(knn.acall(colour="red"))):
        assert [example.size for example in found] == [3, 0, 1]


def test_inputs_are_embedded_as_dspy_writes_them():
    KNN(1, TRAINSET, vectorizer)(colour="red", size=2)
    assert vectorizer.seen[-2][0] == "colour: red green | size: 0"
    assert vectorizer.seen[-1] == ["colour: red | size: 2"]


def test_arrays_will_do_and_so_will_one_example():
    knn = KNN(5, TRAINSET[:1], lambda texts: np.ones((len(texts), 2)))
    assert knn(colour="red") == TRAINSET[:1]


def test_an_embedder_is_awaited_in_async_code():
    class Embedder:
        awaited = 0

        def __call__(self, texts):
            return vectorizer(texts)

        async def acall(self, texts):
            self.awaited += 1
            return vectorizer(texts)

    embedder = Embedder()
    asyncio.run(KNN(1, TRAINSET, embedder).acall(colour="blue"))
    assert embedder.awaited == 1


def test_no_examples_or_no_inputs_say_so():
    with pytest.raises(UsageError, match="trainset is empty"):
        KNN(1, [], vectorizer)
    with pytest.raises(ValueError, match="with_inputs"):
        KNN(1, [dspx.Example(a=1)], vectorizer)
