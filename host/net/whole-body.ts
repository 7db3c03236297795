/** Bodies that are wanted as a whole. */
import { concat } from "../../runtime/bytes.ts";
import type { Body } from "./body.ts";

const MOST_READ_BYTES = 1024 * 1024;

/**
 * Reads a body to its end.
 * @returns null where there is more than may be: the rest is given up
 * @throws NetError
 */
export async function wholeBody(body: Body, mostBytes: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let part = await next(body); part !== null; part = await next(body)) {
    total += part.length;
    if (total > mostBytes) {
      body.close();
      return null;
    }
    parts.push(part);
  }
  return concat(parts);
}

const next = (body: Body) => body.next(MOST_READ_BYTES, body.idleMs);
