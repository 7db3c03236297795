/**
 * Shared tokens: whoever has one runs a UDF (`fsh_…`), or the UDFs of a collection (`fc_…`), in the name of the token's owner.
 *
 *     server.shared-tokens           SHA-256 of the token      what it opens and how
 *     server.user-shared-tokens      OWNER/SHA-256             of which UDF and since when, for lists
 *     the vault                      SHA-256                   its text, encrypted, because owners see their tokens again
 *
 * A token is 32 random bytes, and it is looked up by its hash: how long that takes says nothing about a token that is not known
 * already. What is not known, disabled, expired, or without its owner or UDF is all the same to whoever asks.
 */
import { bytesToHex, randomBytes } from "@noble/hashes/utils.js";
import type { Vault } from "../secrets/vault.ts";
import type { Store } from "../store/store.ts";
import { Failures } from "./auth.ts";
import { type AccessScope, COLLECTIONS, type Collection, type Collections } from "./collections.ts";
import { HttpError, notFound } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Presented, SavedUdf, SharedToken, User } from "./parts.ts";
import { Changes, readAs, recordOf, scan } from "./records.ts";
import type { Registry } from "./registry.ts";
import { openSessions, type Session } from "./session-tokens.ts";
import { tokenHash } from "./token-hash.ts";
import { makeToken, type Users } from "./users.ts";

/** How a token is to be. Undefined: as it is, or as it is by default. */
export interface TokenChanges {
  publicRead?: boolean | undefined;
  /** Default: `public`. */
  scope?: AccessScope | undefined;
  /** Default: true. */
  cache?: boolean | undefined;
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Default: true. */
  enabled?: boolean | undefined;
  clientId?: string | null | undefined;
  /** ISO 8601; null: never, which is the default. */
  expires?: string | null | undefined;
}

export interface SharedTokens {
  /**
   * A token that may be used now, and what it opens. A collection's token needs a slug: its own argument, or part of the token as in
   * `fc_…/slug` and `fc_…-slug`.
   * @throws HttpError 404 for all others, with one text; 403 where it is for the owner's team, or wants a passcode, and nothing of that
   *   was presented; 429 after too many wrong passcodes
   */
  open(
    token: string,
    slug?: string,
    presented?: Presented,
  ): Promise<{ shared: SharedToken; owner: User; udf: SavedUdf }>;
  /** For one of the user's own UDFs. @throws HttpError 409 for too many */
  add(user: User, udfId: string, wanted: TokenChanges): Promise<SharedToken>;
  /** The token as it is, in whatever state; null where it is not known. */
  byText(text: string): Promise<SharedToken | null>;
  /** Those of UDFs. */
  listOf(user: User, page: { skip: number; limit: number }): Promise<SharedToken[]>;
  update(token: SharedToken, changes: TokenChanges): Promise<SharedToken>;
  /** Another text for the same; the one before opens nothing any more. */
  rotate(token: SharedToken): Promise<SharedToken>;
  delete(token: SharedToken): Promise<void>;
  /** With a UDF that is deleted. */
  deleteOf(udf: { id: string; ownerId: string }): Promise<void>;
  /** Deletes those of what is not there any more. @param pause is waited for after each look; what it throws ends this */
  sweep(pause: () => Promise<void>): Promise<number>;
  /** A collection's token; null where it is not shared. */
  ofCollection(collection: Collection): Promise<SharedToken | null>;
  share(collection: Collection, wanted: { clientId: string | null; anew: boolean }): Promise<SharedToken>;
  unshare(collection: Collection): Promise<void>;
  passcodeOf(collection: Collection): Promise<string | null>;
  setPasscode(collection: Collection, passcode: string | null): Promise<void>;
  /** @throws HttpError 404 for what is no token of a collection of the user's team */
  session(user: User, text: string, seconds: number): Promise<Session>;
}

export interface TokensOptions {
  store: Store;
  vault: Vault;
  users: Users;
  registry: Registry;
  collections: Collections;
  log: Log;
}

const TOKENS = "server.shared-tokens";
const OWNED = "server.user-shared-tokens";
/** `COLLECTION` to the hash of its token. */
const SHARES = "server.collection-tokens";
/** Of one user. */
const MOST_TOKENS = 1000;
/** Principals of the vault that are nobody's: a user's is an id without slashes. */
const TEXTS = "server/shared-tokens";
const PASSCODES = "server/passcodes";

/** Until a text that no token has is one that was left behind. */
const TEXT_MS = 3_600_000;

/** What a token looks like; that of a collection with the slug behind it. */
const TOKEN = /^(fsh_|UDF_)[\w-]{16,128}$|^[0-9a-f]{64}$/;
const COLLECTION_TOKEN = /^(fc_[0-9a-f]{64})(?:[-/](.+))?$/s;

type Kept = Omit<SharedToken, "token">;

interface Owned {
  hash: string;
  udfId: string | null;
  /** Milliseconds since 1970. */
  since: number;
}

const nothing = () => notFound("What this token opens");
const raced = (): never => {
  throw new HttpError(409, "The token was changed meanwhile: look at it again");
};

export function openSharedTokens(options: TokensOptions): SharedTokens {
  const { store, vault, users, registry, collections, log } = options;
  const sessions = openSessions(vault);
  const wrongPasscodes = new Failures("passcodes for this collection from this address");
  const keptBy = async (hash: string) => {
    const record = await store.get(TOKENS, hash);
    return record ? readAs<Kept>(record) : null;
  };
  const byText: SharedTokens["byText"] = async (text) => {
    const token = COLLECTION_TOKEN.exec(text)?.[1] ?? (TOKEN.test(text) ? text : undefined);
    const kept = token === undefined ? null : await keptBy(tokenHash(token));
    return kept && { ...kept, token: token! };
  };
  /** @param replaces the hash of the token that ends by this one @param shares the collection whose token it is */
  const write = async (
    kept: Kept,
    text: string,
    { replaces, shares }: { replaces?: string | undefined; shares?: string } = {},
  ): Promise<SharedToken> => {
    const hash = tokenHash(text);
    const changes = new Changes();
    changes.add(TOKENS, hash, () => recordOf(kept));
    changes.add(OWNED, ownedKey(kept.ownerId, hash), () =>
      recordOf({ udfId: kept.udfId, since: Date.now() }),
    );
    if (replaces !== undefined) {
      changes.add(TOKENS, replaces, (found) => (found ? null : raced()));
      changes.add(OWNED, ownedKey(kept.ownerId, replaces), () => null);
    }
    if (shares !== undefined)
      changes.add(SHARES, shares, (found) => (found?.value === replaces ? { value: hash } : raced()));
    // First: a text without a token opens nothing.
    await vault.write(TEXTS, nameOf(hash), text);
    await changes.make(store);
    if (replaces !== undefined) await vault.delete(TEXTS, nameOf(replaces));
    return { ...kept, token: text };
  };
  const remove = async (hash: string, ownerId: string, shared?: Pick<Collection, "id">) => {
    const changes = new Changes();
    changes.add(TOKENS, hash, () => null);
    changes.add(OWNED, ownedKey(ownerId, hash), () => null);
    if (shared) changes.add(SHARES, shared.id, (found) => (found?.value === hash ? null : raced()));
    await changes.make(store);
    await vault.delete(TEXTS, nameOf(hash));
  };
  /** The oldest first. */
  const ownedBy = async (ownerId: string): Promise<Owned[]> => {
    const records = await store.list(OWNED, { prefix: `${ownerId}/`, limit: MOST_TOKENS });
    return records
      .map(({ key, value }) => ({ ...(value as object), hash: key.slice(ownerId.length + 1) }) as Owned)
      .sort((one, other) => one.since - other.since);
  };
  const fresh = (ownerId: string, wanted: TokenChanges): Kept => ({
    ownerId,
    udfId: null,
    collection: null,
    cache: wanted.cache ?? true,
    enabled: wanted.enabled ?? true,
    expires: wanted.expires ?? null,
    publicRead: wanted.publicRead ?? false,
    scope: wanted.scope ?? "public",
    metadata: wanted.metadata ?? {},
    clientId: wanted.clientId ?? null,
    updated: new Date().toISOString(),
  });
  const checkRoom = async (ownerId: string) => {
    if ((await ownedBy(ownerId)).length >= MOST_TOKENS)
      throw new HttpError(409, `Cannot make a token: a user has at most ${MOST_TOKENS}; delete some`);
  };
  const shareHash = async ({ id }: Collection) => (await store.get(SHARES, id))?.value as string | undefined;
  const textOf = async (hash: string) => {
    try {
      return await vault.read(TEXTS, nameOf(hash));
    } catch (error) {
      // One that was made with another key still opens what it opens, and cannot be shown.
      log.warn("token", { unreadable: hash.slice(0, 8), error: (error as Error).message });
      return undefined;
    }
  };
  const withText = async (hash: string): Promise<SharedToken | null> => {
    const [kept, token] = await Promise.all([keptBy(hash), textOf(hash)]);
    return kept && token !== undefined ? { ...kept, token } : null;
  };
  const ofCollection: SharedTokens["ofCollection"] = async (collection) => {
    const hash = await shareHash(collection);
    return hash === undefined ? null : withText(hash);
  };
  const passcodeOf: SharedTokens["passcodeOf"] = async ({ id }) =>
    (await vault.read(PASSCODES, nameOf(id))) ?? null;
  const unshare: SharedTokens["unshare"] = async (collection) => {
    const hash = await shareHash(collection);
    if (hash !== undefined) await remove(hash, collection.ownerId, collection);
  };

  /** @throws HttpError 403, 429 */
  const checkScope = async (
    shared: SharedToken,
    owner: User,
    collection: Collection | null,
    { user, session, passcode, peer = "" }: Presented,
  ) => {
    const wanted = collection && (await passcodeOf(collection));
    if (shared.scope === "public" && wanted === null) return;
    if (user?.team === owner.team) return;
    if (collection && session !== undefined) {
      const maker = await sessions.makerOf(shared.token, session);
      if (maker !== undefined && (await users.active(maker))?.team === owner.team) return;
    }
    if (wanted !== null && passcode !== undefined) {
      // Who guesses keeps out nobody else.
      const guesser = `${collection!.id} ${peer}`;
      wrongPasscodes.check(guesser);
      // Of hashes, a comparison that ends early says nothing.
      if (tokenHash(passcode) === tokenHash(wanted)) return;
      wrongPasscodes.note(guesser);
    }
    throw new HttpError(
      403,
      wanted === null
        ? "This token is for the team of its owner: sign in, or ask for a session token"
        : "This token wants a passcode: send Authorization: Fused-Canvas-Passcode PASSCODE",
    );
  };

  return {
    byText,
    ofCollection,
    unshare,
    passcodeOf,

    async open(text, asked, presented = {}) {
      const known = await byText(text);
      if (!known?.enabled || endOf(known.expires) <= Date.now()) throw nothing();
      const owner = await users.active(known.ownerId);
      const slug = asked ?? COLLECTION_TOKEN.exec(text)?.[2];
      const collection = known.collection === null ? null : await collections.byId(known.collection);
      const udf = await (collection && slug !== undefined
        ? registry.inCollection(collection, slug)
        : registry.byId(known.udfId ?? ""));
      if (!owner || udf?.ownerId !== owner.id || (slug ?? udf.slug) !== udf.slug) throw nothing();
      const { scope, publicRead } = collection ?? known;
      const shared = { ...known, scope, publicRead };
      await checkScope(shared, owner, collection, presented);
      return { shared, owner, udf };
    },

    async add(user, udfId, wanted) {
      await checkRoom(user.id);
      return write({ ...fresh(user.id, wanted), udfId }, makeToken("fsh_"));
    },

    async listOf(user, { skip, limit }) {
      const ofUdfs = (await ownedBy(user.id)).filter(({ udfId }) => udfId !== null);
      const found = await Promise.all(ofUdfs.slice(skip, skip + limit).map(({ hash }) => withText(hash)));
      return found.filter((token) => token !== null);
    },

    async update({ token }, changes) {
      const set = Object.entries(changes).filter(([, value]) => value !== undefined);
      const record = await store.update(TOKENS, tokenHash(token), (found) => {
        if (!found) throw nothing();
        const updated = new Date().toISOString();
        return recordOf({ ...readAs<Kept>(found), ...Object.fromEntries(set), updated });
      });
      return { ...readAs<Kept>(record!), token };
    },

    async rotate({ token, ...kept }) {
      const renewed = { ...kept, updated: new Date().toISOString() };
      return write(renewed, makeToken("fsh_"), { replaces: tokenHash(token) });
    },

    async delete({ token, ownerId }) {
      await remove(tokenHash(token), ownerId);
    },

    async deleteOf({ id, ownerId }) {
      for (const { udfId, hash } of await ownedBy(ownerId)) if (udfId === id) await remove(hash, ownerId);
    },

    async sweep(pause) {
      let count = 0;
      for await (const record of scan(store, TOKENS, "")) {
        await pause();
        const { ownerId, udfId, collection: id } = readAs<Kept>(record);
        const opened = id === null ? await registry.byId(udfId ?? "") : await collections.byId(id);
        if (opened && (await users.byId(ownerId))) continue;
        await remove(record.key, ownerId, id === null ? undefined : { id });
        count++;
      }
      // Texts are written before their tokens, and passcodes are not written with their collections.
      const before = Date.now() - TEXT_MS;
      for (const [principal, names] of [
        [TEXTS, TOKENS],
        [PASSCODES, COLLECTIONS],
      ] as const) {
        for (const { name, updated } of await vault.list(principal)) {
          await pause();
          if (Date.parse(updated) > before || (await store.get(names, name.slice(nameOf("").length))))
            continue;
          await vault.delete(principal, name);
        }
      }
      return count;
    },

    async share(collection, { clientId, anew }) {
      const { id, ownerId, scope, publicRead } = collection;
      const hash = await shareHash(collection);
      const old = hash === undefined || anew ? null : await withText(hash);
      if (old) return old;
      await checkRoom(ownerId);
      const kept = { ...fresh(ownerId, { clientId, scope, publicRead }), collection: id };
      return write(kept, makeHexToken(), { replaces: hash, shares: id });
    },

    async setPasscode({ id }, passcode) {
      if (passcode === null) await vault.delete(PASSCODES, nameOf(id));
      else await vault.write(PASSCODES, nameOf(id), passcode);
    },

    async session(user, text, seconds) {
      const shared = await byText(text);
      const owner = shared?.collection ? await users.active(shared.ownerId) : null;
      if (!shared?.enabled || owner?.team !== user.team) throw nothing();
      return sessions.make(user.id, shared.token, seconds);
    },
  };
}

/** Without dashes, which separate a slug. */
const makeHexToken = () => `fc_${bytesToHex(randomBytes(32))}`;

/** Milliseconds since 1970 of the end of a token; infinite: it has none. */
export const endOf = (expires: string | null) =>
  expires === null ? Number.POSITIVE_INFINITY : Date.parse(expires);
const ownedKey = (ownerId: string, hash: string) => `${ownerId}/${hash}`;
/** The vault's names begin with a letter. */
const nameOf = (key: string) => `t.${key}`;
