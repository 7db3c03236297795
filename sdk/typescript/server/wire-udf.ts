/** UDFs as the wire has them. */
import { bodyOf, fieldsOf, sourceFromFields, UDF_ID } from "../../../host/server/udf-body.ts";
import { UdfLoadError, UsageError } from "../../../runtime/errors.ts";
import { isRecord } from "../../../runtime/record.ts";
import type { Udf, UdfSource } from "../../../runtime/udf.ts";
import { inPath, unreadable } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { readSaved, type SavedUdf } from "./saved-udfs.ts";
import { ServerError } from "./server-error.ts";

type Sendable = UdfSource | Udf;

/** The function to run, where it is known; servers of our own kind find it themselves. */
const entrypointOf = (source: Sendable): string =>
  ("entrypoint" in source && source.entrypoint) || ("saved" in source && source.saved?.entrypoint) || "";

/** The step of a run or a job. */
export function stepOf(
  source: Sendable,
  parameters: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { parameters: own, entrypoint, ...udf } = fieldsOf(source, entrypointOf(source));
  return {
    type: "udf",
    name: source.name,
    udf: { ...udf, ...(entrypoint ? { entrypoint } : {}), parameters: { ...own, ...parameters } },
  };
}

/** How a UDF is saved. */
export interface SaveUdfOptions {
  /** Its name in links and lookups. Default: its name */
  slug?: string;
  /** Whether anybody may read its code, and find it in lists. Default: false */
  isPublic?: boolean;
  /** The name of its collection. Default: `default` */
  collectionName?: string;
  /** One of this name is replaced, else that is an error. Default: false */
  overwrite?: boolean;
}

/** Makes the functions that load and save. @param find finds a saved UDF */
export function udfFunctions(
  connection: Connection,
  find: (name: string, options?: { collectionName?: string }) => Promise<SavedUdf>,
) {
  return {
    /** A saved UDF, ready to run here or there. @param name as `findUdf` takes it, or an address on github.com @throws ServerError, UdfLoadError */
    async loadUdf(name: string, options: { collectionName?: string } = {}): Promise<UdfSource> {
      if (!/^https?:\/\//.test(name)) return sourceOfSaved(await find(name, options));
      const answer = await connection.json("code-proxy/by-url", {
        query: { url: name },
        timeoutMs: connection.settings.runTimeoutMs,
      });
      const saved = readSaved(answer);
      if (saved) return sourceOfSaved(saved);
      if (isRecord(answer)) return sourceFromFields(answer, "udf");
      throw new UdfLoadError(`Cannot load ${name}: the server gave no UDF`);
    },

    /** Saves a UDF. @throws UsageError where there is one of this name, and `overwrite` is not set; ServerError */
    async saveUdf(
      source: Sendable,
      {
        slug = source.name,
        isPublic = false,
        collectionName = "default",
        overwrite = false,
      }: SaveUdfOptions = {},
    ): Promise<SavedUdf> {
      const collection_id = collectionName === "default" ? null : await collectionId(collectionName);
      const known = await find(slug, { collectionName }).catch((error: unknown) => {
        if (error instanceof ServerError && error.status === 404) return null;
        throw error;
      });
      if (known && !overwrite)
        throw new UsageError(
          `There is a UDF ${JSON.stringify(slug)} already: say overwrite: true, or another slug`,
        );
      const answer = await connection.json(known ? `udf/by-id/${inPath(known.id)}` : "udf/new", {
        method: "POST",
        json: {
          slug,
          udf_body: bodyOf(source, entrypointOf(source)),
          udf_type: "auto",
          allow_public_read: isPublic,
          allow_public_list: isPublic,
          collection_id,
        },
      });
      const saved = readSaved(answer);
      if (saved) return saved;
      throw unreadable("it holds no UDF");
    },
  };

  async function collectionId(name: string): Promise<unknown> {
    const found = await connection.json(`collection/by-name/${inPath(name)}`);
    return isRecord(found) ? found.id : null;
  }
}

function sourceOfSaved({ id, name, body }: SavedUdf): UdfSource {
  const source = sourceFromFields(body, name);
  return { ...source, metadata: { ...source.metadata, [UDF_ID]: id } };
}
