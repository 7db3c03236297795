/** Datasets that a server knows by their places. */
import { connectionTo } from "./server-api.ts";

/** A dataset of a server; it may say more. */
export interface Dataset {
  id: string;
  location: string;
  description: string | null;
  [field: string]: unknown;
}

/** What became of a registration. */
export interface RegisteredDataset {
  dataset_id: string;
  location: string;
  /** `success`, `timeout` or `error`. */
  visit_status: string;
  items_discovered: number;
  new_items: number;
  [field: string]: unknown;
}

/** Finding it may take a server longer than most of what it is asked. */
const TIMEOUT_MS = 60_000;

/**
 * The dataset that a place belongs to: the one registered there, else at the longest part of its path that is registered.
 * @param location a URL, like `s3://bucket/data/part.parquet`
 * @param options `baseUrl`: the server to ask. Default: `options.baseUrl`
 * @throws an Error named ServerError where there is none (its `status` is 404) or the server refuses; UsageError without a server
 */
export async function findDataset(
  location: string,
  { baseUrl }: { baseUrl?: string } = {},
): Promise<Dataset> {
  const ask = { query: { location }, timeoutMs: TIMEOUT_MS };
  return (await connectionTo(baseUrl).json("datasets/find-by-location", ask)) as Dataset;
}

/**
 * Registers a folder as a dataset of your team, so that its files are indexed for queries by H3 cells.
 * @param datasetPath the URL of the folder, which you must have access to
 * @param options `baseUrl`: the server to ask. Default: `options.baseUrl`
 * @throws an Error named ServerError where the server refuses; UsageError without a server
 */
export async function registerDataset(
  datasetPath: string,
  { baseUrl }: { baseUrl?: string } = {},
): Promise<RegisteredDataset> {
  const ask = { method: "POST", query: { url: datasetPath }, timeoutMs: TIMEOUT_MS };
  return (await connectionTo(baseUrl).json("datasets/register-from-url", ask)) as RegisteredDataset;
}
