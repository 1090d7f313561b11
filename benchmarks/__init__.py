"""How fast dspx is: against DSPy 3.4.1 and against the floors, in one run. `python -m benchmarks --help`."""
