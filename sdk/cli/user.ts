/** `fuselet user`: the users of a server, for its admins. */
import type { Permissions } from "../../host/permissions/descriptor.ts";
import { UsageError } from "../../runtime/errors.ts";
import { inPath } from "../typescript/server/answers.ts";
import { Connection } from "../typescript/server/connection.ts";
import type { Options, UserAction } from "./arguments.ts";
import { toColumns } from "./columns.ts";
import { grantsFrom } from "./grants.ts";
import { loginFrom } from "./logins.ts";
import { forTerminal, type Terminal, write } from "./terminal.ts";

/** The command as it was read. */
export interface UserCommand {
  options: Options;
  action: UserAction;
  /** An id, a handle or an email; for `add` an email; empty for `list`. */
  target: string;
}

/** A user as the wire has it. */
interface WireUser {
  id: string;
  email: string;
  handle: string;
  name: string;
  execution_environment_id: string;
  is_admin: boolean;
  is_enabled: boolean;
  permissions: Permissions | null;
}

/** Runs the command. @throws ServerError for what the server refuses, UsageError */
export async function user({ options, action, target }: UserCommand, terminal: Terminal): Promise<void> {
  const { stdout, env } = terminal;
  const { url, token, scheme } = loginFrom(options, env);
  const server = new Connection(
    () => ({ baseUrl: url, token, scheme }),
    (address, init) => fetch(address, init as RequestInit),
  );
  const show = (value: unknown, text: string) =>
    write(stdout, forTerminal(options.has("json") ? `${JSON.stringify(value)}\n` : text, stdout));
  const all = async () => (await server.json("user/all")) as WireUser[];
  const find = async (): Promise<WireUser> => {
    const users = await all();
    // An id first: no handle is taken for one.
    const found = (["id", "handle", "email"] as const)
      .map((field) => users.find((one) => one[field] === (field === "id" ? target : target.toLowerCase())))
      .find((one) => one !== undefined);
    if (found) return found;
    throw new UsageError(`There is no user ${JSON.stringify(target)}: fuselet user list shows all`);
  };
  const send = (path: string, json: unknown) => server.json(path, { method: "POST", json });
  const change = async (changes: object) =>
    (await send(`user/by-id/${inPath((await find()).id)}`, changes)) as WireUser;

  switch (action) {
    case "list": {
      const users = await all();
      return show(users, toColumns(users.map(rowOf)));
    }
    case "add": {
      const { team, name, is_admin, permissions } = await fieldsOf(options);
      const handle = options.get("handle");
      const body = { email: target, handle, name, team, is_admin, permissions: permissions ?? undefined };
      const made = (await send("user/new", body)) as { user: WireUser; token: string };
      return show(made, `${toColumns([rowOf(made.user)])}${tokenText(made.user, made.token)}`);
    }
    case "set": {
      const fields = await fieldsOf(options);
      if (Object.values(fields).every((value) => value === undefined))
        throw new UsageError(
          "Name what to change: --name, --team, --admin, --no-admin, --allow-…, --deny-…, or --no-bounds",
        );
      const changed = await change(fields);
      return show(changed, toColumns([rowOf(changed)]));
    }
    case "enable":
    case "disable": {
      const changed = await change({ is_enabled: action === "enable" });
      return show(changed, toColumns([rowOf(changed)]));
    }
    case "token": {
      const found = await find();
      const made = (await send(`user/by-id/${inPath(found.id)}/tokens`, { name: "from an admin" })) as {
        token: string;
      };
      return show(made, tokenText(found, made.token));
    }
    case "delete": {
      const { id, email } = await find();
      await server.json(`user/by-id/${inPath(id)}`, { method: "DELETE" });
      return show({ id, email }, `deleted ${email}\n`);
    }
  }
}

/** What the options say that a user is to be. */
async function fieldsOf(options: Options) {
  if (options.has("admin") && options.has("no-admin"))
    throw new UsageError("Cannot use --admin together with --no-admin");
  const isBounded = options.given.some(({ name }) => /^(allow|deny)-|^(permission-set|config)$/.test(name));
  if (isBounded && options.has("no-bounds"))
    throw new UsageError("Cannot use --no-bounds together with what allows or denies");
  return {
    name: options.get("name"),
    team: options.get("team"),
    is_admin: options.has("admin") ? true : options.has("no-admin") ? false : undefined,
    permissions: options.has("no-bounds")
      ? null
      : isBounded
        ? (await grantsFrom(options)).permissions
        : undefined,
  };
}

const rowOf = (one: WireUser) => [
  one.id,
  one.handle,
  one.email,
  one.execution_environment_id,
  [one.is_admin && "admin", !one.is_enabled && "disabled", one.permissions && "bounded"]
    .filter(Boolean)
    .join(", "),
];

const tokenText = ({ email }: WireUser, token: string) =>
  `The token of ${email}, which is shown this once: ${token}\n`;
