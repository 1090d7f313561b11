"""dspx's optimizers against DSPy 3.4.1's on a simulated task with known truth. `python -m benchmarks.optimizers`."""
