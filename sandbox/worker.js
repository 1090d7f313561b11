// The worker: Pyodide and the code it runs, without any permission. What it says is not to be trusted.

import { installSession, startPyodide } from "./pyodide.js";
import { setAwaiting, takeReply } from "./shared.js";

const post = globalThis.postMessage.bind(globalThis);
let pyodide, session, shared, asked;

globalThis.onmessage = async ({ data: { kind, number, ...message } }) => {
  if (kind === "cancel") return number === asked && cancelAwaiting();
  asked = number;
  try {
    post({ kind: "done", number, ...(await actions[kind](message)) });
  } catch (error) {
    post({ kind: "broken", number, message: `${error?.name}: ${error?.message}`.slice(0, 2000) });
  }
  asked = null;
};

// What the code leaves running in the background may fail as it likes.
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());

const actions = {
  async start(config) {
    shared = config.shared;
    const fromSnapshot = await loaded(config);
    pyodide.setInterruptBuffer(new Uint8Array(shared.interrupt));
    session = pyodide.globals.get("session");
    session.connect(callTool);
    pyodide.runPython("import os, json; os.environ.update(json.loads(_env))", {
      globals: pyodide.toPy({ _env: JSON.stringify(config.env) }),
    });
    await giveUpRights();
    return { fromSnapshot };
  },
  async execute({ code, variables }) {
    setAwaiting(shared, false);
    try {
      const said = await session.execute.callPromising(code, variables);
      if (typeof said === "string") return { text: said };
      setAwaiting(shared, true);
      return { text: await said };
    } catch (error) {
      if (error?.type === "KeyboardInterrupt") return { text: INTERRUPTED }; // while it was describing the result
      throw error;
    }
  },
  register: ({ params }) => ({ text: session.register(params) }),
  mount({ path, content }) {
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")) || "/");
    pyodide.FS.writeFile(path, content);
    return {};
  },
  read: ({ path }) => ({ content: pyodide.FS.analyzePath(path).exists ? pyodide.FS.readFile(path) : null }),
};

async function loaded({ pyodideDir, snapshot, source }) {
  if (snapshot) {
    try {
      pyodide = await startPyodide(pyodideDir, { snapshot });
      return true;
    } catch {
      // An unusable snapshot costs time, nothing else.
    }
  }
  pyodide = await startPyodide(pyodideDir);
  installSession(pyodide, source);
  return false;
}

const INTERRUPTED = JSON.stringify({
  error: {
    code: -32099,
    message: "KeyboardInterrupt",
    data: { type: "KeyboardInterrupt", args: [], traceback: "", stdout: "" },
  },
});

/** End code that waits for something. The interrupt meant for code that computes is not needed then. */
function cancelAwaiting() {
  new Uint8Array(shared.interrupt)[0] = 0;
  session.cancel();
}

function callTool(text) {
  post({ kind: "tool", text });
  return takeReply(shared);
}

/** What is not needed any more goes. The permissions hold without this; it keeps the protocol's lines clean. */
async function giveUpRights() {
  await Deno.permissions.revoke({ name: "read" });
  for (const stream of [Deno.stdin, Deno.stdout, Deno.stderr]) stream.close();
  for (const name of Object.keys(console)) if (typeof console[name] === "function") console[name] = () => {};
  for (const name of ["Deno", "Worker", "close", "postMessage", "process", "require"]) delete globalThis[name];
}
