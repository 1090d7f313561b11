"""An optimizer a file, each on the same task and the same simulated model, offline: `python -m examples.optimizers.mipro`."""
