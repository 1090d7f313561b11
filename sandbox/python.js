// Python, as the main thread sees it: a worker that is asked one thing at a time, and watched.

import { giveReply, isAwaiting, makeShared } from "./shared.js";

const INTERRUPT = 2; // SIGINT
const GRACE = 1; // seconds to react to an interrupt
const AGAIN = 100; // milliseconds between interrupts: code may catch the first

export class Python {
  #worker;
  #shared = makeShared();
  #interrupt = new Uint8Array(this.#shared.interrupt);
  #asked = null; // the one question under way: {number, resolve, reject, watch}
  #count = 0;

  /** `onTool(text)` is called with what the code asks of a tool; `toolReplied` answers it. */
  constructor(permissions, onTool) {
    this.onTool = onTool;
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), {
      type: "module",
      deno: { permissions },
    });
    this.#worker.onmessage = ({ data }) => this.#heard(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#asked?.reject(new Lost(`the interpreter broke: ${event.message}`));
    };
  }

  start(config, seconds) {
    return this.ask({ kind: "start", shared: this.#shared, ...config }, seconds);
  }

  /** The worker's answer to a message, and `timedOut` if it was interrupted for the time it took. */
  async ask(message, seconds = null, transfer = []) {
    Atomics.store(this.#interrupt, 0, 0);
    const number = ++this.#count;
    const watch = new Watch(seconds, (again) => this.interrupt(again), () => this.#gaveUp(seconds));
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#asked = { number, resolve, reject, watch };
        this.#worker.postMessage({ ...message, number }, transfer);
      });
      return { ...answer, timedOut: watch.ranOut };
    } finally {
      watch.stop();
      this.#asked = null;
    }
  }

  /** Raise KeyboardInterrupt in code that computes, cancel code that waits; `again`: do both. */
  interrupt(again = false) {
    if (this.#asked === null) return;
    if (again || !isAwaiting(this.#shared)) Atomics.store(this.#interrupt, 0, INTERRUPT);
    this.#worker.postMessage({ kind: "cancel", number: this.#asked.number });
  }

  /** The host's reply to the tool call under way. */
  toolReplied(text) {
    this.#asked?.watch.resume();
    giveReply(this.#shared, text);
  }

  #heard(data) {
    if (this.#asked === null || data === null || typeof data !== "object") return;
    if (data.kind !== "tool" && data.number !== this.#asked.number) return;
    if (data.kind === "done") this.#asked.resolve(data);
    else if (data.kind === "broken") this.#asked.reject(new Lost(`the interpreter broke: ${data.message}`));
    else if (data.kind === "tool") {
      this.#asked.watch.pause(); // the host's time is not the code's
      this.onTool(String(data.text));
    }
  }

  #gaveUp(seconds) {
    this.#worker.terminate();
    this.#asked?.reject(new Lost(`the code ran for more than ${seconds} s and could not be interrupted`, true));
  }
}

/** Python's state is gone. */
export class Lost extends Error {
  constructor(message, timedOut = false) {
    super(message);
    this.timedOut = timedOut;
  }
}

/** Counts the code's own time: `onSoft` when it is over, again and again, and `onHard` a grace later. */
class Watch {
  ranOut = false;
  #timer = null;

  constructor(seconds, onSoft, onHard) {
    this.left = seconds === null ? null : seconds * 1000;
    this.onSoft = onSoft;
    this.onHard = onHard;
    this.resume();
  }

  resume() {
    if (this.left === null || this.#timer !== null) return;
    this.since = performance.now();
    this.#timer = setTimeout(() => this.#soft(), this.left);
  }

  pause() {
    if (this.#timer === null || this.ranOut) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.left = Math.max(0, this.left - (performance.now() - this.since));
  }

  stop() {
    clearTimeout(this.#timer);
    clearInterval(this.#timer);
    this.left = null;
  }

  #soft() {
    this.ranOut = true;
    const end = performance.now() + GRACE * 1000;
    this.onSoft(false);
    this.#timer = setInterval(() => {
      if (performance.now() < end) return this.onSoft(true);
      this.stop();
      this.onHard();
    }, AGAIN);
  }
}
