"""The pytest plugin: `--dspx-mode=mock|fallback|live`, `dspx_lm`, `dspx_server`, `dspx_cassette`, `@pytest.mark.dspx_live`.

It is loaded by every pytest run of an environment that has dspx installed. So it imports next to nothing, and leaves
tests alone that do not use it: the network is only forbidden to tests with one of the fixtures, or to all of
them where the mode was chosen on the command line or in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dspx.lm.base import BaseLM
    from dspx.testing.cassette import Cassette
    from dspx.testing.modes import Choice
    from dspx.testing.server.server import Server

_FIXTURES = frozenset({"dspx_lm", "dspx_server", "dspx_cassette"})
_LIVE = "dspx_live"
_VARIABLE = "DSPX_TEST_MODE"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dspx")
    group.addoption(
        "--dspx-mode",
        choices=("mock", "fallback", "live"),
        default=None,
        help="which LM tests get: mock (default), live where a key is set (fallback), or live.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_LIVE}: asks a real language model; see --dspx-mode.")
    config.stash[_counts] = {}


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"dspx: {_choice(config).told}" if _is_chosen(config) else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker(_LIVE) is None:
        return
    from dspx.testing.modes import missing_key

    choice = _choice(item.config)
    if choice.is_live:
        return
    if choice.mode == "live":
        pytest.fail(missing_key(), pytrace=False)
    pytest.skip(f"needs a real LM: --dspx-mode=live{'' if choice.mode == 'mock' else '; no key is set'}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None]:
    if not _uses_dspx(item):
        yield
        return
    choice = _choice(item.config)
    if choice.mode != "mock":
        yield
        return
    from dspx.testing.network import no_network

    with no_network():
        yield


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = config.stash.get(_counts, {})
    if counts and _is_chosen(config) and _choice(config).mode == "fallback":
        told = ", ".join(f"{count} with {name}" for name, count in counts.items())
        terminalreporter.write_line(f"dspx: tests that asked an LM: {told}")


# ---------------------------------------------------------------- fixtures


@pytest.fixture
def dspx_lm(request: pytest.FixtureRequest) -> Generator[BaseLM]:
    """The LM of the mode, which is also the configured one during the test."""
    from dspx.core.settings import context

    choice = _choice(request.config)
    lm = _lm_of(choice)
    counts = request.config.stash[_counts]
    name = choice.live_model or lm.model if choice.is_live else "the test LM"
    counts[name] = counts.get(name, 0) + 1
    with context(lm=lm):
        yield lm


@pytest.fixture
def dspx_server() -> Generator[Server]:
    """A test server, in every mode: `dspx_server.lm()` asks it, `dspx_server.requests` is what it was asked."""
    from dspx.testing.server.server import Server

    with Server() as server:
        yield server


@pytest.fixture
def dspx_cassette(request: pytest.FixtureRequest) -> Generator[Cassette]:
    """A cassette for this test, in `cassettes/<module>/<test>.json` beside it.

    Replayed in mock mode, recorded in live mode; in fallback mode added to where a key is set.
    """
    from dspx.testing.cassette import Cassette

    choice = _choice(request.config)
    mode = {"mock": "replay", "live": "record", "fallback": "auto" if choice.is_live else "replay"}[
        choice.mode
    ]
    with Cassette(_cassette_path(request.node), mode) as cassette:  # type: ignore[arg-type]
        yield cassette


# ---------------------------------------------------------------- the mode

_counts: pytest.StashKey[dict[str, int]] = pytest.StashKey()
_chosen: pytest.StashKey[Choice] = pytest.StashKey()


def _is_chosen(config: pytest.Config) -> bool:
    """Whether somebody asked for a mode."""
    return bool(config.getoption("--dspx-mode") or os.environ.get(_VARIABLE))


def _uses_dspx(item: pytest.Item) -> bool:
    if _is_chosen(item.config):
        return True
    return not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _choice(config: pytest.Config) -> Choice:
    choice = config.stash.get(_chosen, None)
    if choice is None:
        from dspx.testing.modes import choose

        try:
            choice = choose(config.getoption("--dspx-mode"))
        except ValueError as error:
            raise pytest.UsageError(str(error)) from error
        config.stash[_chosen] = choice
    return choice


def _lm_of(choice: Choice) -> BaseLM:
    if choice.is_live:
        from dspx.lm.lm import LM

        assert choice.live_model is not None
        return LM(choice.live_model)
    if choice.mode == "live":
        from dspx.testing.modes import missing_key

        pytest.fail(missing_key(), pytrace=False)
    from dspx.testing.model_lm import SchemaLM

    return SchemaLM()


def _cassette_path(node: Any) -> Path:
    """Beside the test's file, named after the test; letters that file names cannot have become `_`."""
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in node.name)
    return Path(node.path).parent / "cassettes" / Path(node.path).stem / f"{name}.json"
