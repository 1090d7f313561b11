"""What a program says: signatures, examples, modules, settings. No I/O, no prompt text."""
