"""The version of dspx."""

__version__ = "0.1.0"
