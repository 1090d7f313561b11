// Take the snapshot: `deno run … snapshot.js PYODIDE_DIR OUT`.

import { installSession, startPyodide } from "./pyodide.js";

const [dir, out] = Deno.args;
const pyodide = await startPyodide(dir, { make: true });
installSession(pyodide, await Deno.readTextFile(new URL("./session.py", import.meta.url)));
await Deno.writeFile(out, pyodide.makeMemorySnapshot());
Deno.exit(0);
