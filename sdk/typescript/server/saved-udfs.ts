/** UDFs that are saved on a server, as it has them. */
import { UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import { inPath, unreadable } from "./answers.ts";
import type { Connection } from "./connection.ts";

/** A saved UDF. */
export interface SavedUdf {
  id: string;
  /** Its name in links and lookups. */
  slug: string;
  name: string;
  /** The name of its collection. */
  collection: string;
  /** As the wire has it: `code`, `entrypoint`, `headers`, `parameters`, `metadata`. */
  body: Readonly<Record<string, unknown>>;
  isPublic: boolean;
  /** Counts up with each change, where the server counts. */
  version: number | null;
}

/** Which saved UDFs. */
export interface ListUdfs {
  /** How many. Default: all */
  n?: number;
  /** How many to leave out. */
  skip?: number;
  /** Default: self */
  whose?: "self" | "public" | "community" | "team";
  /** Those of this collection only. */
  collectionName?: string;
}

const LISTS = {
  self: "udf/self",
  public: "udf/public",
  community: "udf/public",
  team: "udf/exec-env/self",
} as const;

/** What a text must look like to be taken for a shared token. */
const TOKEN = /^((UDF_|fsh_|fc_)\S+|[0-9a-f]{64})$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text looks like a shared token. */
export const isSharedToken = (text: string) => TOKEN.test(text);

/** Whether a text looks like the id of a saved UDF. */
export const isUdfId = (text: string) => ID.test(text);

/** Makes the functions for what is saved. */
export function savedUdfFunctions(connection: Connection) {
  const listed = async (kind: "udf" | "app", { n, skip, whose = "self", collectionName }: ListUdfs) => {
    const path = LISTS[whose];
    if (path === undefined)
      throw new UsageError(
        `whose must be one of ${Object.keys(LISTS).join(", ")}: received ${JSON.stringify(whose)}`,
      );
    const found = await connection.pages(path, { n, skip, query: { udf_type: kind } });
    return found
      .flatMap((one) => readSaved(one) ?? [])
      .filter(({ body, collection }) => {
        const isCommunity = isRecord(body.metadata) && body.metadata["fused:explorerTab"] === "community";
        if ((whose === "public" || whose === "community") && isCommunity !== (whose === "community"))
          return false;
        return collectionName === undefined || collection === collectionName;
      });
  };

  const self = {
    /** UDFs that are saved on the server. Those that cannot be read are left out. @throws UsageError, ServerError */
    getUdfs: (options: ListUdfs = {}): Promise<SavedUdf[]> => listed("udf", options),

    /** The same for apps. */
    getApps: (options: ListUdfs = {}): Promise<SavedUdf[]> => listed("app", options),

    /**
     * A saved UDF: by its id, a name of yours, `team/name`, or `user/name` with a handle or an e-mail address; or by a shared token, where
     * its code may be read.
     * @throws ServerError, of status 404 where there is none
     */
    async findUdf(
      name: string,
      { collectionName = "default" }: { collectionName?: string } = {},
    ): Promise<SavedUdf> {
      const found = readSaved(await connection.json(await pathOf(name, collectionName)));
      if (found) return found;
      throw unreadable(`it holds no UDF for ${JSON.stringify(name)}`);
    },

    /** Deletes a saved UDF. @param id its id */
    async deleteUdf(id: string): Promise<void> {
      await connection.json(`udf/by-id/${inPath(id)}`, { method: "DELETE" });
    },
  };

  async function pathOf(name: string, collectionName: string): Promise<string> {
    if (isSharedToken(name)) return `udf/shared/by-token/${inPath(name)}`;
    if (isUdfId(name)) return `udf/by-id/${name}`;
    const slash = name.indexOf("/");
    const where = `by-collection/${inPath(collectionName)}/by-slug/${inPath(name.slice(slash + 1))}`;
    const owner = slash < 0 ? await ownEmail() : name.slice(0, slash);
    if (owner === "team") return `udf/exec-env/self/${where}`;
    return `udf/by-user-${owner.includes("@") ? "email" : "handle"}/${inPath(owner)}/${where}`;
  }

  async function ownEmail(): Promise<string> {
    const user = await connection.json("user/self");
    if (isRecord(user) && typeof user.email === "string") return user.email;
    throw new UsageError("The server does not say who you are: name the UDF as user/name");
  }

  return self;
}

/** @returns null for what holds no UDF */
export function readSaved(value: unknown): SavedUdf | null {
  if (!isRecord(value) || typeof value.udf_body !== "string") return null;
  let body: unknown;
  try {
    body = JSON.parse(value.udf_body);
  } catch {
    return null;
  }
  if (!isRecord(body)) return null;
  const slug = typeof value.slug === "string" ? value.slug : "";
  return {
    id: String(value.id ?? ""),
    slug,
    name: typeof body.name === "string" && body.name !== "" ? body.name : slug || "udf",
    collection: typeof value.collection_name === "string" ? value.collection_name : "default",
    body,
    isPublic: value.allow_public_read === true,
    version: typeof value.version === "number" ? value.version : null,
  };
}
