"""The cases, one file per group, in the order of the table."""

from __future__ import annotations

from benchmarks.groups import (
    acting,
    caching,
    calling,
    copying,
    crowding,
    evaluating,
    formatting,
    importing,
    installing,
    parsing,
    predicting,
    retrieving,
    sandboxing,
    signatures,
    streaming,
)  # isort: skip

GROUPS = (
    importing,
    installing,
    signatures,
    formatting,
    parsing,
    predicting,
    acting,
    caching,
    calling,
    crowding,
    evaluating,
    streaming,
    retrieving,
    copying,
    sandboxing,
)
