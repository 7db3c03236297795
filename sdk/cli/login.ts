/** `fuselet login` and `fuselet logout`: the tokens of servers. A token comes from standard input only. */
import { UsageError } from "../../runtime/errors.ts";
import { openServer } from "../typescript/index.node.ts";
import type { Options } from "./arguments.ts";
import { readHidden } from "./hidden-input.ts";
import { forgetLogins, keepLogin, loginFrom, wireUrl } from "./logins.ts";
import { type Terminal, write } from "./terminal.ts";

/**
 * Signs in: asks the server who has the token, and keeps it.
 * @throws UsageError where no server is named; ServerError where it does not know the token, or cannot be reached
 */
export async function login(options: Options, terminal: Terminal): Promise<void> {
  const { stdout, stderr, env } = terminal;
  const { url } = loginFrom(options, env);
  const token = await readHidden(
    {
      name: `Token for ${url}`,
      what: "the token",
      instead: "Write the token to standard input: fuselet login --token - < FILE",
    },
    terminal,
  );
  if (!isPrivate(url))
    await write(stderr, `note: ${url} is not encrypted: whoever is on the way can read the token\n`);
  const server = await openServer({ baseUrl: url, token: token.trim() });
  const { email, handle } = await server.whoami();
  keepLogin({ url, token: token.trim(), scheme: "Bearer" }, env);
  const text = options.has("json")
    ? JSON.stringify({ url, email, handle })
    : `signed in to ${url} as ${email}`;
  await write(stdout, `${text}\n`);
}

/** Forgets the token of the server, or with `--all` those of all. @throws UsageError where there is none */
export async function logout(options: Options, { stdout, env }: Terminal): Promise<void> {
  const url = options.get("url");
  if (url !== undefined && options.has("all"))
    throw new UsageError("Cannot use --url together with --all: name one server, or forget all");
  const wanted = options.has("all") ? null : url === undefined ? loginFrom(options, env).url : wireUrl(url);
  const gone = forgetLogins(wanted, env);
  if (gone.length === 0 && wanted !== null) throw new UsageError(`There is no login for ${wanted}`);
  const text = options.has("json")
    ? `${JSON.stringify(gone)}\n`
    : gone.map((one) => `signed out of ${one}\n`).join("");
  await write(stdout, text);
}

/** Whether nobody on the way can read what is sent. */
function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$|\.localhost$/.test(hostname);
}
