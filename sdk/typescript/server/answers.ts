/** What a server answers: the names of its fields as TypeScript has them, and what its refusals say. */
import { isRecord } from "../../../runtime/record.ts";
import { ServerError } from "./server-error.ts";

/** A whole answer, whatever its status. */
export interface ServerAnswer {
  status: number;
  headers: Headers;
  body: Uint8Array;
  url: string;
}

/** The error for an answer that refuses. Its text is the server's own, where it says anything. */
export function refusal({ status, headers, body, url }: ServerAnswer): ServerError {
  const said = headers.get("x-fused-error") ?? detailOf(headers, body);
  const hint = status === 401 ? "sign in: fuselet login, or the option token" : undefined;
  return new ServerError(
    said ? `${said} (status ${status})` : `The server at ${url} answered with status ${status}`,
    { status, url, hint },
  );
}

function detailOf(headers: Headers, body: Uint8Array): string | null {
  if (!headers.get("content-type")?.startsWith("application/json")) return null;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
  const { message, detail } = isRecord(value) ? value : {};
  for (const text of [message, detail]) if (typeof text === "string" && text !== "") return text;
  return JSON.stringify(value).slice(0, 2000);
}

/** The error for an answer that is not what was asked for. */
export const unreadable = (why: string): ServerError =>
  new ServerError(`Cannot read the server's answer: ${why}`, { status: 200, url: "" });

/** A value as a part of a path. */
export const inPath = (text: string) => encodeURIComponent(text);

/**
 * What the wire has, with the names of TypeScript: `job_id` becomes `jobId`. Values stay as they are.
 * @throws ServerError for an answer that is no object
 */
export function fromWire<Type>(value: unknown, what: string): Type {
  if (!isRecord(value)) throw unreadable(`${what} is no object`);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      item,
    ]),
  ) as Type;
}

/** The same for a list. */
export function listFromWire<Type>(value: unknown, what: string): Type[] {
  if (!Array.isArray(value)) throw unreadable(`${what} are no list`);
  return value.map((one) => fromWire<Type>(one, what));
}
