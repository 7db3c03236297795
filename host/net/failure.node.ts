/** What a failure of Node's sockets and of undici is for a guest: its own text stays here, its code is shown. */
import { FuseletError } from "../../runtime/errors.ts";
import { NetError, type NetErrorCode } from "./errors.ts";

/** How far a request had come. */
export type Step = "dns" | "connect" | "tls" | "answer";

const WHAT: Record<Step, (host: string) => string> = {
  dns: (host) => `Cannot find an address of ${host}`,
  connect: (host) => `Cannot connect to ${host}`,
  tls: (host) =>
    `Cannot connect to ${host} securely: its certificate is not trusted, or it does not speak TLS`,
  answer: (host) => `The answer of ${host} broke off, or is not HTTP`,
};

/** Codes for which there is more to say. */
const MORE: Readonly<Record<string, string>> = {
  UND_ERR_ABORTED: "the proxy refused",
  UND_ERR_HEADERS_OVERFLOW: "its headers are too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "its body is shorter than its content-length",
};

/** Failures of TLS, also where a proxy stands between and the step is not known. */
const OF_TLS = /^(CERT_|DEPTH_ZERO_|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|UNABLE_TO_|UND_ERR_PRX_TLS)/;

/** @returns the error itself where it is one of ours */
export function netFailure(error: unknown, step: Step, host: string): FuseletError {
  if (error instanceof FuseletError) return error;
  const { code } = error as { code?: unknown };
  const shown = typeof code === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : "no code";
  const reached = step === "connect" && OF_TLS.test(shown) ? "tls" : step;
  const kind: NetErrorCode = reached === "answer" ? "protocol" : reached;
  return new NetError(kind, `${WHAT[reached](host)} (${MORE[shown] ?? shown})`, { cause: error });
}
