/** Server-sent events (HTML standard, 9.2.6), as far as servers of ours write them. */
export interface ServerEvent {
  event: string;
  data: string;
}

/** The most of one event. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

/** @param parts of the body, in UTF-8 */
export async function* eventsOf(parts: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of parts) {
    text += decoder.decode(part, { stream: true });
    for (let end = endOf(text); end; end = endOf(text)) {
      const block = text.slice(0, end.at);
      text = text.slice(end.at + end.length);
      const read = readBlock(block);
      if (read) yield read;
    }
    if (text.length > MOST_CHARACTERS) throw new Error("an event of the server is too long");
  }
}

function endOf(text: string): { at: number; length: number } | null {
  const found = /\r?\n\r?\n/.exec(text);
  return found ? { at: found.index, length: found[0].length } : null;
}

/** @returns null for one without data, such as a comment */
function readBlock(block: string): ServerEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
  return data.length > 0 ? { event, data: data.join("\n") } : null;
}
