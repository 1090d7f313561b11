// The guest's main thread: speaks the protocol, keeps time, moves files. It runs none of the code it is given.
//
//   deno run <permissions> main.js '{"pyodide": DIR, "snapshot": FILE or null, "env": [NAMES], "net": [HOSTS]}'
//
// JSON-RPC 2.0, one message per line; README.md beside this file has the messages.

import { readLines, writeLine } from "./lines.js";
import { Lost, Python } from "./python.js";

const LOST = -32010;
const FILE_SECONDS = 30;
const config = JSON.parse(Deno.args[0]);
let calls = 0;
let callUnderWay = null;

const python = new Python(
  {
    read: [config.pyodide, new URL(".", import.meta.url)],
    net: config.net.length > 0 ? config.net : false,
    env: false,
    ffi: false,
    import: false,
    run: false,
    sys: false,
    write: false,
  },
  (text) => {
    callUnderWay = `tc_${Date.now()}_${calls++}`;
    writeLine(`{"jsonrpc":"2.0","method":"tool_call","params":${oneLine(text)},"id":"${callUnderWay}"}`);
  },
);

const methods = {
  /** `{code, variables?, timeout?}` → what the session says of it. */
  async execute({ code, variables, timeout }) {
    if (typeof code !== "string") throw new Invalid("execute needs `code`, a text");
    const message = { kind: "execute", code, variables: variables ?? "{}" };
    const { text, timedOut } = await python.ask(message, timeout ?? null);
    return oneLine(text).trim().slice(1, -1) + (timedOut ? ',"timed_out":true' : "");
  },
  async register(params) {
    const { text } = await python.ask({ kind: "register", params: JSON.stringify(params) }, FILE_SECONDS);
    return `"result":${oneLine(text)}`;
  },
  async mount_file({ host_path, virtual_path }) {
    await put(virtual_path, await Deno.readFile(host_path));
    return result({ mounted: virtual_path });
  },
  async inject_var({ name, value }) {
    if (!/^\w+$/.test(name)) throw new Invalid(`not a name: ${name}`);
    await put(`/tmp/dspy_vars/${name}.json`, new TextEncoder().encode(value));
    return result({ injected: name });
  },
  async sync_file({ virtual_path, host_path }) {
    const { content } = await python.ask({ kind: "read", path: virtual_path }, FILE_SECONDS);
    if (!(content instanceof Uint8Array)) return result({ synced: null }); // the code deleted it
    await Deno.writeFile(host_path, content, { create: true });
    return result({ synced: virtual_path });
  },
};

const put = (path, content) => python.ask({ kind: "mount", path, content }, FILE_SECONDS, [content.buffer]);
const result = (value) => `"result":${JSON.stringify(value)}`;

class Invalid extends Error {}

/** The members of the reply to a request, as JSON text. The session's own text is passed on, not read. */
async function answered({ method, params }) {
  if (!Object.hasOwn(methods, method)) return failed(-32601, `unknown method: ${method}`);
  try {
    return await methods[method](params ?? {});
  } catch (error) {
    if (error instanceof Lost) {
      return failed(LOST, error.message, "Lost") + (error.timedOut ? ',"timed_out":true' : "");
    }
    return failed(error instanceof Invalid ? -32602 : -32007, error.message);
  }
}

function failed(code, message, type = "RuntimeError") {
  return `"error":${JSON.stringify({ code, message, data: { type, args: [message] } })}`;
}

/** Text from the worker, which must not end the line it is put on. */
const oneLine = (text) => String(text).replace(/[\r\n]/g, " ");

async function answer(request) {
  const members = await answered(request);
  if (request.id !== undefined) writeLine(`{"jsonrpc":"2.0",${members},"id":${JSON.stringify(request.id)}}`);
  if (members.startsWith(`"error":{"code":${LOST}`)) Deno.exit(3);
}

/** The first generation of the protocol: `{"code": …}` lines. */
async function answerFirstGeneration({ code }) {
  const text = `{${await answered({ method: "execute", params: { code } })}}`;
  let reply;
  try {
    reply = JSON.parse(text, (_, value, { source }) => typeof value === "number" ? JSON.rawJSON(source) : value);
  } catch (error) { // NaN and infinity, which this generation had no way to say
    reply = { error: { message: error.message, data: { type: "ValueError", args: [error.message] } } };
  }
  if (reply.error) {
    const { type, args } = reply.error.data;
    writeLine(JSON.stringify({ error: reply.error.message, errorType: type, errorArgs: args }));
  } else if (reply.result.final) {
    const values = Object.values(reply.result.final);
    writeLine(JSON.stringify({ error: "", errorType: "FinalAnswer", errorArgs: values }));
  } else {
    writeLine(JSON.stringify({ output: reply.result.output }));
  }
}

let queue = Promise.resolve();

/** One line from the host. Requests wait for each other; replies, interrupts and the end do not. */
function received(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch (error) {
    return writeLine(`{"jsonrpc":"2.0",${failed(-32700, error.message)},"id":null}`);
  }
  if (message === null || typeof message !== "object") return;
  if (message.method === "shutdown" || message.shutdown) Deno.exit(0);
  if (message.method === "interrupt") return python.interrupt();
  if (typeof message.code === "string") queue = queue.then(() => answerFirstGeneration(message));
  else if (message.method !== undefined) queue = queue.then(() => answer(message));
  else if (message.id !== undefined && message.id === callUnderWay) {
    callUnderWay = null;
    python.toolReplied(line);
  } else writeLine(`{"jsonrpc":"2.0",${failed(-32600, "not a request")},"id":${JSON.stringify(message.id ?? null)}}`);
}

async function start() {
  const env = Object.fromEntries(config.env.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined));
  const source = await Deno.readTextFile(new URL("./session.py", import.meta.url));
  const snapshot = config.snapshot ? await Deno.readFile(config.snapshot) : null;
  const network = config.net.length > 0;
  const message = { pyodideDir: config.pyodide, snapshot, source, env, network };
  const { fromSnapshot } = await python.start(message, null);
  writeLine(JSON.stringify({ jsonrpc: "2.0", method: "ready", params: { from_snapshot: fromSnapshot } }));
}

queue = start().catch((error) => {
  writeLine(JSON.stringify({ jsonrpc: "2.0", method: "unhandled_error", params: { message: error.message } }));
  Deno.exit(4);
});
for await (const line of readLines()) if (line.trim()) received(line);
Deno.exit(0);
