/** How saved UDFs are kept (registry.ts says where). */
import type { SavedUdf } from "./parts.ts";

export const UDFS = "server.udfs";
export const VERSIONS = "server.udf-versions";
export const SLUGS = "server.udf-slugs";
export const PUBLIC = "server.udf-public";

/** The value of a record; its bytes are the body. */
export type Meta = Omit<SavedUdf, "id" | "body" | "collection">;

/** What an index knows of a UDF. */
export interface Listed {
  id: string;
  kind: SavedUdf["kind"];
  team: string | null;
  teamRead: boolean;
  publicList: boolean;
}

export function metaOf({ id: _id, body: _body, collection: _collection, ...meta }: SavedUdf): Meta {
  return meta;
}

export const listedOf = (id: string, { kind, team, teamRead, publicList }: Meta): Listed => ({
  id,
  kind,
  team,
  teamRead,
  publicList,
});

export const slugKey = (ownerId: string, collectionId: string, slug: string) =>
  `${ownerId}/${collectionId}/${slug}`;
export const publicKey = (slug: string, id: string) => `${slug}/${id}`;
export const versionKey = (id: string, version: number) => `${id}/${String(version).padStart(10, "0")}`;
