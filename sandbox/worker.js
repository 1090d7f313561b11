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
    await giveUpRights(config.network);
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

// What Pyodide needs of JavaScript once it runs; the rest is taken away. That is housekeeping, the walls are
// elsewhere: the worker has no permissions, and V8 is told to make no code from text.
const KEPT = new Set(`
  AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DOMException DataView Date Error
  EvalError Event EventTarget FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array
  Int8Array Intl Iterator JSON Map Math MessageChannel NaN Number Object Promise Proxy RangeError ReferenceError Reflect
  RegExp Set SharedArrayBuffer String SuspendError Symbol SyntaxError TextDecoder TextEncoder TypeError URIError URL
  Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly
  atob btoa clearImmediate clearInterval clearTimeout console crypto decodeURI decodeURIComponent encodeURI
  encodeURIComponent globalThis isFinite isNaN onmessage onunhandledrejection parseFloat parseInt performance
  queueMicrotask self setImmediate setInterval setTimeout structuredClone undefined
`.trim().split(/\s+/));
const KEPT_WITH_NETWORK = `
  AbortController AbortSignal Blob File FormData Headers ReadableStream Request Response URLSearchParams WebSocket fetch
`.trim().split(/\s+/);

async function giveUpRights(network) {
  await Deno.permissions.revoke({ name: "read" });
  for (const stream of [Deno.stdin, Deno.stdout, Deno.stderr]) stream.close();
  for (const name of Object.keys(console)) if (typeof console[name] === "function") console[name] = () => {};
  if (network) KEPT_WITH_NETWORK.forEach((name) => KEPT.add(name));
  for (let level = globalThis; level !== EventTarget.prototype; level = Object.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (!KEPT.has(name) && name !== "constructor") delete level[name];
    }
  }
}
