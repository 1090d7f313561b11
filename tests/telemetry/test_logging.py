import io
import logging

import pytest

from dspx.telemetry.logging import (
    configure_dspx_loggers,
    configure_dspy_loggers,
    disable_logging,
    enable_logging,
    reset_logging,
)

LOG = logging.getLogger("dspx.somewhere")


@pytest.fixture(autouse=True)
def afterwards():
    yield
    reset_logging()


def test_by_itself_dspx_leaves_records_to_the_program(caplog):
    with caplog.at_level(logging.INFO):
        LOG.info("heard by the program")
    assert "heard by the program" in caplog.text
    assert logging.getLogger("dspx").handlers == []


def test_enabled_records_go_to_one_stream_however_often_it_is_called():
    stream = io.StringIO()
    enable_logging(stream=stream)
    configure_dspx_loggers(stream=stream)
    LOG.info("once")
    LOG.debug("not at this level")
    assert stream.getvalue().count("once") == 1
    assert "INFO dspx.somewhere: once" in stream.getvalue()
    assert "not at this level" not in stream.getvalue()


def test_disabled_means_not_even_warnings(capsys):
    disable_logging()
    LOG.error("unheard")
    assert capsys.readouterr().err == ""
    configure_dspy_loggers("dspy")
    LOG.info("heard again")


def test_dspys_name_enables_too(capsys):
    configure_dspy_loggers("dspy")
    LOG.info("hello")
    assert "hello" in capsys.readouterr().err
