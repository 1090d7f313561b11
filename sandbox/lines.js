// Lines of text on standard input and output.

/** Each line of standard input, until it ends. */
export async function* readLines() {
  const decoder = new TextDecoder();
  let parts = [];
  for await (const chunk of Deno.stdin.readable) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(pieces.shift());
    for (const piece of pieces) {
      yield parts.join("");
      parts = [piece];
    }
  }
}

const encoder = new TextEncoder();

/** Write one line. It starts on a line of its own, whatever stands there already. */
export function writeLine(text) {
  const bytes = encoder.encode(`\n${text}\n`);
  for (let done = 0; done < bytes.length; ) done += Deno.stdout.writeSync(bytes.subarray(done));
}
