"""Show or silence what dspx has to say. It logs under the name `dspx` and configures nothing by itself.

Until `enable_logging` is called, records go wherever the program's own logging sends them.
"""

from __future__ import annotations

import logging
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_logger = logging.getLogger("dspx")
_own: logging.Handler | None = None


def enable_logging(level: int | str = logging.INFO, stream: TextIO | None = None) -> None:
    """Write dspx's records of this level and above to `stream` (default: stderr), and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(_FORMAT, datefmt="%Y/%m/%d %H:%M:%S"))
    _use(handler, level)


def disable_logging() -> None:
    """Say nothing, not even warnings, until `enable_logging` or `reset_logging`."""
    _use(logging.NullHandler(), logging.CRITICAL + 1)


def reset_logging() -> None:
    """Leave dspx's records to the program's own logging, as it was at the start."""
    global _own
    if _own is not None:
        _logger.removeHandler(_own)
    _own = None
    _logger.propagate = True
    _logger.setLevel(logging.NOTSET)


def configure_dspx_loggers(level: int | str = logging.INFO, stream: TextIO | None = None) -> None:
    """The same as `enable_logging`."""
    enable_logging(level, stream)


def configure_dspy_loggers(root_module_name: str = "dspx") -> None:
    """DSPy's name for `enable_logging`; there is one logger tree, so the name given makes no difference."""
    enable_logging()


def _use(handler: logging.Handler, level: int | str) -> None:
    global _own
    if _own is not None:
        _logger.removeHandler(_own)
    _own = handler
    _logger.addHandler(handler)
    _logger.setLevel(level)
    _logger.propagate = False
