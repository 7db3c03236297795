/**
 * Users, their teams and their tokens. A token is 32 random bytes; the server keeps its SHA-256 only, and looks it up by that:
 * how long a look-up takes says nothing about a token that is not known already.
 *
 * Of the admins that are not disabled one always stays: whatever takes one away looks at the others in the same transaction.
 */
import { checkPermissions } from "../permissions/descriptor.ts";
import type { Json, Store, StoreRecord } from "../store/store.ts";
import { HttpError, notFound } from "./errors.ts";
import type { User } from "./parts.ts";
import { deleteAll, readAs, scan } from "./records.ts";
import { tokenHash } from "./token-hash.ts";

export interface NewUser {
  email: string;
  /** Default: what is before the @. */
  handle?: string | undefined;
  name?: string | undefined;
  /** Default: a team of its own. */
  team?: string | undefined;
  isAdmin?: boolean | undefined;
  /** A descriptor, which is checked. */
  permissions?: object | undefined;
}

/** What an admin may change. Undefined: as it is. */
export interface UserChanges {
  name?: string | undefined;
  team?: string | undefined;
  isAdmin?: boolean | undefined;
  isEnabled?: boolean | undefined;
  /** A descriptor, which is checked. Null: what the server may give at all. */
  permissions?: object | null | undefined;
}

/** A token, whose text is shown this once. */
export interface NewToken {
  id: string;
  token: string;
  /** ISO 8601; null: never. */
  expires: string | null;
}

export interface Users {
  /** @throws HttpError 409 where the email or the handle is taken, 422 where they are none */
  add(user: NewUser): Promise<User>;
  /** Whoever it is, disabled ones too: for what is theirs. */
  byId(id: string): Promise<User | null>;
  /** One who may do things: for all that is done in somebody's name. */
  active(id: string): Promise<User | null>;
  byEmail(email: string): Promise<User | null>;
  byHandle(handle: string): Promise<User | null>;
  list(): Promise<User[]>;
  /** All that are in a team now. */
  ofTeam(team: string): Promise<User[]>;
  /** @throws HttpError 404; 409 where no admin would be left; 422 for a team that is none */
  update(id: string, changes: UserChanges): Promise<User>;
  /** Deletes a user's tokens too. @returns whether there was one @throws HttpError 409 where no admin would be left */
  delete(id: string): Promise<boolean>;
  /**
   * Makes a token.
   * @param expires milliseconds since 1970; null: never
   * @param by the token that it is made with: no token outlives the one that has made it
   */
  addToken(userId: string, name: string, expires: number | null, by?: string): Promise<NewToken>;
  /** Whom a token opens, or null: not known, expired, deleted, of one who is disabled. */
  byToken(token: string): Promise<User | null>;
  /** The tokens of a user, without their text. */
  tokens(userId: string): Promise<TokenEntry[]>;
  /** @returns whether this user had it */
  deleteToken(userId: string, id: string): Promise<boolean>;
  /** All that a user has. */
  deleteTokens(userId: string): Promise<void>;
}

export interface TokenEntry {
  id: string;
  name: string;
  /** ISO 8601. */
  created: string;
  expires: string | null;
}

const USERS = "server.users";
const HANDLES = "server.handles";
const EMAILS = "server.emails";
const TOKENS = "server.tokens";
/** By user, for lists: what TOKENS has by hash. */
const USER_TOKENS = "server.user-tokens";
/** Of one user. */
const MOST_TOKENS = 100;
/** Other admins that are looked at where one is taken away: any of them will do. */
const MOST_ADMINS = 100;

const EMAIL = /^[^\s@/\p{C}]{1,64}@[^\s@/\p{C}]{1,190}$/u;
const HANDLE = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const TEAM = /^[\w.-]{1,64}$/;

/** A new token. @param prefix tells people and scanners what it is */
export function makeToken(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return (
    prefix + btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (c) => ({ "+": "-", "/": "_" })[c] ?? "")
  );
}

/** @param fixed a token of an admin that is valid as long as this server runs, and is kept nowhere */
export function openUsers(store: Store, fixed?: { tokenHash: string; userId: string }): Users {
  const read = ({ key, value }: StoreRecord): User => {
    const { permissions, ...user } = value as Record<string, unknown>;
    return {
      isEnabled: true,
      ...user,
      id: key,
      ...(permissions ? { permissions: checkPermissions(permissions) } : {}),
    } as unknown as User;
  };
  const byId = async (id: string) => {
    const record = isKey(id) ? await store.get(USERS, id) : undefined;
    return record ? read(record) : null;
  };
  const active = async (id: string) => {
    const user = await byId(id);
    return user?.isEnabled ? user : null;
  };
  const list = async () => {
    const users: User[] = [];
    for await (const record of scan(store, USERS, "")) users.push(read(record));
    return users;
  };
  const byIndex = async (collection: string, key: string) => {
    const record = isKey(key) ? await store.get(collection, key) : undefined;
    return record ? byId(record.value as string) : null;
  };
  /** Keys of a user's tokens: `USER/HASH`. */
  const tokensOf = (userId: string) => store.list(USER_TOKENS, { prefix: `${userId}/`, limit: MOST_TOKENS });
  const tokenNames = async (userId: string) => namesOf(await tokensOf(userId));
  /** Names of the other admins, for the transaction that may take one away. */
  const otherAdmins = async (id: string) =>
    (await list())
      .filter((user) => user.id !== id && isActingAdmin(user))
      .slice(0, MOST_ADMINS)
      .map((user) => ({ collection: USERS, key: user.id }));
  /** @throws HttpError 409 */
  const checkAdmins = (before: StoreRecord, after: StoreRecord | null, others: Found) => {
    const isLess = isActingAdmin(read(before)) && !(after && isActingAdmin(read(after)));
    if (isLess && !others.some((record) => record && isActingAdmin(read(record))))
      throw new HttpError(409, "This is the last admin: make another user an admin before");
  };
  return {
    byId,
    active,
    list,
    ofTeam: async (team) => (await list()).filter((user) => user.team === team),
    byEmail: (email) => byIndex(EMAILS, email.toLowerCase()),
    byHandle: (handle) => byIndex(HANDLES, handle.toLowerCase()),

    async add({ email, handle, name, team, isAdmin = false, permissions }) {
      const address = email.toLowerCase();
      if (!EMAIL.test(address))
        throw new HttpError(
          422,
          `Cannot add a user: the email must be NAME@HOST: received ${JSON.stringify(email)}`,
        );
      const called = (handle ?? address.split("@")[0]!.replace(/[^a-z0-9_.-]/g, "-")).toLowerCase();
      if (!HANDLE.test(called))
        throw new HttpError(
          422,
          `Cannot add a user: the handle must be letters, digits, ".", "_" or "-": received ${JSON.stringify(called)}`,
        );
      if (team !== undefined) checkTeam("add", team);
      const id = crypto.randomUUID();
      const value = {
        email: address,
        handle: called,
        name: name ?? called,
        team: team ?? id,
        isAdmin,
        isEnabled: true,
        ...(permissions ? { permissions: checkPermissions(permissions) as unknown as Json } : {}),
      };
      await store.transact(
        [
          { collection: USERS, key: id },
          { collection: EMAILS, key: address },
          { collection: HANDLES, key: called },
        ],
        ([, takenEmail, takenHandle]) => {
          if (takenEmail) throw new HttpError(409, `Cannot add a user: ${address} is taken`);
          if (takenHandle) throw new HttpError(409, `Cannot add a user: the handle ${called} is taken`);
          return [{ value }, { value: id }, { value: id }];
        },
      );
      return (await byId(id))!;
    },

    async update(id, changes) {
      if (changes.team !== undefined) checkTeam("change", changes.team);
      const { permissions, ...fields } = changes;
      const set = Object.entries(fields).filter(([, value]) => value !== undefined);
      if (!isKey(id)) throw missing(id);
      const names = [{ collection: USERS, key: id }, ...(await otherAdmins(id))];
      const [record] = await store.transact(names, ([found, ...others]) => {
        if (!found) throw missing(id);
        const { permissions: old, ...rest } = found.value as { [field: string]: Json };
        const wanted = permissions === undefined ? old : permissions && checkPermissions(permissions);
        const value = {
          ...rest,
          ...Object.fromEntries(set),
          ...(wanted ? { permissions: wanted as unknown as Json } : {}),
        };
        checkAdmins(found, { ...found, value }, others);
        return [{ value }];
      });
      return read(record!);
    },

    async delete(id) {
      const user = await byId(id);
      if (!user) return false;
      const names = [
        { collection: USERS, key: id },
        { collection: EMAILS, key: user.email },
        { collection: HANDLES, key: user.handle },
        ...(await tokenNames(id)),
      ];
      await store.transact([...names, ...(await otherAdmins(id))], (found) => {
        if (found[0]) checkAdmins(found[0], null, found.slice(names.length));
        return names.map(() => null);
      });
      return true;
    },

    async addToken(userId, name, expires, by) {
      const kept = await tokensOf(userId);
      // Who makes one an hour that lasts an hour has one.
      const expired = kept.filter((record) => isExpired(readAs(record)));
      await deleteAll(store, namesOf(expired));
      if (kept.length - expired.length >= MOST_TOKENS)
        throw new HttpError(409, `Cannot make a token: a user has at most ${MOST_TOKENS}; delete some`);
      const token = makeToken("fst_");
      const hash = tokenHash(token);
      const names = [
        { collection: TOKENS, key: hash },
        { collection: USER_TOKENS, key: `${userId}/${hash}` },
      ];
      const maker = by === undefined ? undefined : tokenHash(by);
      if (maker !== undefined && maker !== fixed?.tokenHash) names.push({ collection: TOKENS, key: maker });
      let ends: number | null = null;
      await store.transact(names, ([, , made]) => {
        // Who takes all tokens away takes those, too, that are made with them just now.
        if (names.length > 2 && !made)
          throw new HttpError(401, "Not signed in: the token was deleted meanwhile");
        const most = made && readAs<{ expires: number | null }>(made).expires;
        const endMs = Math.min(expires ?? Number.POSITIVE_INFINITY, most ?? Number.POSITIVE_INFINITY);
        ends = endMs === Number.POSITIVE_INFINITY ? null : endMs;
        const value = { userId, name, created: new Date().toISOString(), expires: ends };
        return [{ value }, { value }];
      });
      return { id: tokenId(hash), token, expires: ends === null ? null : new Date(ends).toISOString() };
    },

    async byToken(token) {
      if (token === "" || token.length > 4096) return null;
      const hash = tokenHash(token);
      if (fixed && hash === fixed.tokenHash) return active(fixed.userId);
      const found = await store.get(TOKENS, hash);
      if (!found) return null;
      const { userId, ...kept } = readAs<{ userId: string; expires: number | null }>(found);
      return isExpired(kept) ? null : active(userId);
    },

    async tokens(userId) {
      return (await tokensOf(userId)).map(({ key, value }) => {
        const { name, created, expires } = value as { name: string; created: string; expires: number | null };
        return {
          id: tokenId(key.slice(userId.length + 1)),
          name,
          created,
          expires: expires === null ? null : new Date(expires).toISOString(),
        };
      });
    },

    async deleteToken(userId, id) {
      const found = (await tokensOf(userId)).find(({ key }) => tokenId(key.slice(userId.length + 1)) === id);
      if (!found) return false;
      await deleteAll(store, namesOf([found]));
      return true;
    },

    async deleteTokens(userId) {
      // Those that were made at the same moment may be more than a user has at most.
      for (let names = await tokenNames(userId); names.length > 0; names = await tokenNames(userId))
        await deleteAll(store, names);
    },
  };
}

type Found = readonly (StoreRecord | undefined)[];

/** Whether somebody is an admin who is not disabled. */
export const isActingAdmin = ({ isAdmin, isEnabled }: User) => isAdmin && isEnabled;
const missing = (id: string) => notFound(`The user ${JSON.stringify(id)}`);

/** @throws HttpError 422 */
function checkTeam(what: "add" | "change", team: string): void {
  if (TEAM.test(team)) return;
  throw new HttpError(
    422,
    `Cannot ${what} a user: the team must be letters, digits, ".", "_" or "-": received ${JSON.stringify(team)}`,
  );
}

/** What a token is called in lists: a part of its hash. */
const tokenId = (hash: string) => hash.slice(0, 16);

/** Under which the tokens are kept whose keys are `USER/HASH`. */
const namesOf = (records: readonly StoreRecord[]) =>
  records.flatMap(({ key }) => [
    { collection: TOKENS, key: key.slice(key.indexOf("/") + 1) },
    { collection: USER_TOKENS, key },
  ]);

const isExpired = ({ expires }: { expires: number | null }) => expires !== null && expires <= Date.now();

/** What the store takes as a key. */
const isKey = (text: string) =>
  text !== "" && text.length <= 255 && !/[\u0000-\u001f\u007f\u{10ffff}]/u.test(text) && text.isWellFormed();
