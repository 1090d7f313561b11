"""What happened, kept: runs and their rollouts, programs, configurations, datasets, executions. JSON, never pickle."""

from __future__ import annotations

from dspx.errors import RecordConflict, RunNotFound, SchemaTooNew, SearchDiverged, StoreError
from dspx.store.async_store import AsyncStore
from dspx.store.checking import StoreInfo
from dspx.store.datasets import dataset_hash
from dspx.store.errors import IllegalTransition, LeaseHeld, LeaseLost, RecordNotFound, VersionConflict
from dspx.store.execution_log import ExecutionLog
from dspx.store.executions import ExecutionSummary
from dspx.store.lease import Lease
from dspx.store.live import InForce, Live
from dspx.store.records import (
    Ask,
    Configuration,
    Dataset,
    Execution,
    ProgramVersion,
    Rollout,
    Run,
    SpaceVersion,
)
from dspx.store.store import Store, open
from dspx.store.summary import RunComparison, RunSummary

__all__ = [
    "Ask",
    "AsyncStore",
    "Configuration",
    "Dataset",
    "Execution",
    "ExecutionLog",
    "ExecutionSummary",
    "IllegalTransition",
    "InForce",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Live",
    "ProgramVersion",
    "RecordConflict",
    "RecordNotFound",
    "Rollout",
    "Run",
    "RunComparison",
    "RunNotFound",
    "RunSummary",
    "SchemaTooNew",
    "SearchDiverged",
    "SpaceVersion",
    "Store",
    "StoreError",
    "StoreInfo",
    "VersionConflict",
    "dataset_hash",
    "open",
]
