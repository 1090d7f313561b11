"""Run the portable programs under DSPy 3.4.1 and keep what they noted, as what dspx has to note too.

python -m tests.compat_programs.record            with an interpreter that has dspy==3.4.1
python -m tests.compat_programs.record dspx -     print what dspx notes instead
"""

import importlib
import json
import sys
import traceback
from pathlib import Path

from tests.compat_programs.observing import PROGRAMS, Notes

GOLDEN = Path(__file__).with_name("golden.json")
FILES = (
    "signatures",
    "modules",
    "evaluating",
    "models",
    "adapting",
    "content",
    "saving",
    "data",
    "overriding",
    "porting",
    "extending",
    "acting",
)


def load_programs():
    for name in FILES:
        importlib.import_module(f"tests.compat_programs.{name}")
    return PROGRAMS


def observe(dspy, name):
    notes = Notes()
    try:
        load_programs()[name](dspy, notes)
    except Exception as error:
        traceback.print_exc()
        notes("crashed", error)
    return json.loads(json.dumps(notes.lines))


def main(library="dspy", target=str(GOLDEN)):
    dspy = importlib.import_module(library)
    recorded = {}
    for name in load_programs():
        recorded[name] = observe(dspy, name)
    text = json.dumps(recorded, indent=1, ensure_ascii=False) + "\n"
    if target == "-":
        print(text)
    else:
        Path(target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
