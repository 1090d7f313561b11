"""A place for answers: key → JSON value, in memory, on disk, or both. Nothing is ever unpickled."""
