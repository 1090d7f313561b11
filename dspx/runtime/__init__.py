"""How a call happens: threads, loops, time. Knows nothing of language models."""
