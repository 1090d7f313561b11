"""One runnable file per idea: python -m examples.demo."""
