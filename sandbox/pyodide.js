// Start Pyodide: from a snapshot of its memory where there is one, which takes a tenth of the time.

import { createRequire } from "node:module";

/** Pyodide from the folder `dir`. `make` readies it for a snapshot to be taken; `snapshot` starts it from one. */
export async function startPyodide(dir, { snapshot, make } = {}) {
  globalThis.require = createRequire(import.meta.url);
  const { loadPyodide } = await import(`file://${dir}/pyodide.mjs`);
  return await loadPyodide({
    indexURL: `${dir}/`,
    env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" },
    _makeSnapshot: make ?? false,
    _loadSnapshot: snapshot ?? undefined,
  });
}

// What most code imports. Compiled once, it is in the snapshot.
const IMPORTED = `
  bisect calendar collections contextlib copy csv dataclasses datetime decimal difflib fractions functools hashlib
  heapq html itertools math operator pprint random re statistics string textwrap time typing unicodedata urllib.parse
  uuid
`.trim().split(/\s+/);

/** The guest's own Python, as the module `dspx_session`, and the parts of the library that most code imports. */
export function installSession(pyodide, source) {
  pyodide.FS.writeFile("/home/pyodide/dspx_session.py", source);
  pyodide.runPython(`
import sys
sys.path.insert(0, "/home/pyodide")
import dspx_session
session = dspx_session.Session()
import ${IMPORTED.join(", ")}
sys.path.remove("/home/pyodide")
`);
  pyodide.FS.unlink("/home/pyodide/dspx_session.py");
}
