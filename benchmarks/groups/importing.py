"""What `import` costs: CPU, modules, and what it does that an import should not."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from benchmarks.cases import AtMost, Times, case
from benchmarks.environment import ROOT
from benchmarks.side import Side

PROBE = """
import json, sys, time
acts = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "os.mkdir", "os.rename"):
        acts.append(event)
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        acts.append(f"write {args[0]}")
sys.addaudithook(watch)
before = len(sys.modules)
started = time.process_time()
import NAME
print(json.dumps({"cpu": time.process_time() - started, "modules": len(sys.modules) - before, "acts": len(acts)}))
"""


def _import(name: str) -> dict[str, float]:
    """Import in a new process, which has nothing loaded and an empty home."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-B", "-W", "ignore", "-c", PROBE.replace("NAME", name)],
            cwd=ROOT,
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def _pydantic(side: Side) -> float:
    return _import("pydantic, pydantic.main")["cpu"]


@case("import.cpu", "import", target=Times(4), floor=_pydantic, floor_title="import pydantic", heavy=True)
def cpu(side: Side) -> float:
    return _import(side.name)["cpu"]


@case("import.modules", "  modules it loads", unit="", target=AtMost(300), heavy=True)
def modules(side: Side) -> float:
    return _import(side.name)["modules"]


@case("import.acts", "  files written, folders made, hosts asked", unit="", target=AtMost(0), heavy=True)
def acts(side: Side) -> float:
    return _import(side.name)["acts"]
