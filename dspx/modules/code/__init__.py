"""Modules that ask for code and run it: `ProgramOfThought`, `CodeAct`, `RLM`."""
