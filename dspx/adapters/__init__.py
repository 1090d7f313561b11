"""Between signatures and messages: how a question is put to a model, and how its answer is read."""
