// Memory that the main thread and the worker share: how a tool's reply reaches code that blocks, and interrupts.

const REPLY_ROOM = 1 << 16;
const MOST_REPLY_ROOM = 1 << 27;

/** Made by the main thread, sent to the worker as `{interrupt, awaiting, signal, reply}`. */
export function makeShared() {
  return {
    interrupt: new SharedArrayBuffer(1),
    awaiting: new SharedArrayBuffer(1),
    signal: new SharedArrayBuffer(8),
    reply: new SharedArrayBuffer(REPLY_ROOM, { maxByteLength: MOST_REPLY_ROOM }),
  };
}

/** Main thread: hand over a reply and wake the worker. */
export function giveReply(shared, text) {
  let bytes = new TextEncoder().encode(text);
  if (bytes.length > MOST_REPLY_ROOM) {
    bytes = new TextEncoder().encode(
      `{"error":{"code":-32007,"message":"the reply is too large: ${bytes.length} bytes","data":{"type":"ValueError"}}}`,
    );
  }
  if (bytes.length > shared.reply.byteLength) shared.reply.grow(bytes.length);
  new Uint8Array(shared.reply).set(bytes);
  const signal = new Int32Array(shared.signal);
  Atomics.store(signal, 1, bytes.length);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

/** Worker: block until the reply is there. */
export function takeReply(shared) {
  const signal = new Int32Array(shared.signal);
  Atomics.wait(signal, 0, 0);
  const bytes = new Uint8Array(shared.reply).slice(0, Atomics.load(signal, 1));
  Atomics.store(signal, 0, 0);
  return new TextDecoder().decode(bytes);
}

/** Worker: say whether the code waits for something, and is to be cancelled, or computes, and is to be interrupted. */
export function setAwaiting(shared, whether) {
  Atomics.store(new Uint8Array(shared.awaiting), 0, whether ? 1 : 0);
}

export const isAwaiting = (shared) => Atomics.load(new Uint8Array(shared.awaiting), 0) === 1;
