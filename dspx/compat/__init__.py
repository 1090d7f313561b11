"""DSPy's import paths and a few of its functions, so that `import dspx as dspy` runs a DSPy program."""
