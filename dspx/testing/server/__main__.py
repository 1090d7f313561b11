"""The test server as a process: python -m dspx.testing.server --port 8000."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from dspx.errors import UsageError
from dspx.testing.server.faults import Faults
from dspx.testing.server.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. The first line of the output is the address."""
    given = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = Server(
            given.model,
            faults=Faults.mixed(given.faults, given.kinds or None, seed=given.seed) if given.faults else None,
            latency=given.latency,
            token_delay=given.token_delay,
            port=given.port,
            log_size=0,
            seed=given.seed,
        ).start()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    print(server.api_base, flush=True)
    while not stop.wait(1.0):
        pass
    server.stop()
    print(f"{server.stats.requests} requests: {server.stats.outcomes}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dspx.testing.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--model", default="nearest", help="nearest (default), schema or echo")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument(
        "--token-delay", type=float, default=0.0, help="seconds between the events of a stream"
    )
    parser.add_argument("--faults", type=float, default=0.0, help="the share of requests that fail, 0 to 1")
    parser.add_argument("--kinds", nargs="*", help="the kinds of faults, by default all that answer at once")
    parser.add_argument("--seed", type=int, default=0, help="for the faults")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
