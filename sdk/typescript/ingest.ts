/** Describing how data become a table. Doing it is left to the host, or to a server. */
import { door } from "./door.ts";
import type { JobStatus, StartJobOptions } from "./server/jobs.ts";
import { serverApi } from "./server-api.ts";

/** What ingestion takes its parts by. */
type Method = "area" | "length" | "coords" | "rows";

/** How data with geometries become a table. */
export interface IngestOptions {
  /** The place of the table's metadata. Default: that of the table. */
  outputMetadata?: string | null;
  /** The columns' types. Default: as the data have them. */
  schema?: unknown;
  /** The end of the names of the files to take from a folder, like `.geojson`. Default: all. */
  fileSuffix?: string | null;
  /** The columns to read. Default: all. */
  loadColumns?: readonly string[] | null;
  /** The columns to leave out. */
  removeCols?: readonly string[];
  /** Makes a row of each part of a geometry with several. Default: false */
  explodeGeometries?: boolean;
  /** Leaves out what lies outside of WGS84's bounds. Default: it does. */
  dropOutOfBounds?: boolean | null;
  /** What of the geometries counts for the size of a part. Default: `"rows"` */
  partitioningMethod?: Method;
  /** The most that a file holds, by the method. Default: a tenth of all. */
  partitioningMaximumPerFile?: number | null;
  /** The most that a chunk holds, by the method. Default: a hundredth of all. */
  partitioningMaximumPerChunk?: number | null;
  /** Parts that are wider than so many times their height are cut. Default: 2 */
  partitioningMaxWidthRatio?: number;
  /** Parts that are higher than so many times their width are cut. Default: 2 */
  partitioningMaxHeightRatio?: number;
  /** Keeps each file or each chunk in one UTM zone. Default: `"chunk"` */
  partitioningForceUtm?: "file" | "chunk" | null;
  /** Where to cut: at the mean or the median of the centroids. Default: `"mean"` */
  partitioningSplitMethod?: "mean" | "median";
  /** Cuts large geometries into several rows, by their area. Default: it does not. */
  subdivideMethod?: "area" | null;
  /** The area above which they are cut, in square degrees. */
  subdivideStart?: number | null;
  /** The area below which they are not cut any more, in square degrees. */
  subdivideStop?: number | null;
  /** Cuts parts of too many rows although all have the same centroid. Default: true */
  splitIdenticalCentroids?: boolean;
  /** About how many chunks there are to be, where `partitioningMaximumPerFile` is null. Default: 500 */
  targetNumChunks?: number;
  /** The columns with longitude and latitude, of which points are made; for Parquet files. */
  lonlatCols?: readonly [longitude: string, latitude: string] | null;
  /** The place of a Parquet file with the parts to make. */
  partitioningSchemaInput?: string | null;
  /** How GDAL opens the files. */
  gdalConfig?: { openOptions?: Readonly<Record<string, string>>; layer?: string | null };
  /** Replaces what lies at the output. Default: false */
  overwrite?: boolean;
  /** Writes the box of each row, as GeoParquet 1.1 has it. Default: false */
  writeCoveringBbox?: boolean;
}

/** How data without geometries become a table. */
export interface IngestNongeospatialOptions {
  outputMetadata?: string | null;
  /** The column by whose values the data are cut. Default: as they come. */
  partitionCol?: string | null;
  /** The most rows of a file. Default: 2,500,000 */
  partitioningMaximumPerFile?: number;
  /** The most rows of a chunk. Default: 65,000 */
  partitioningMaximumPerChunk?: number;
}

/** A description of an ingestion: a step of a job, in the names of the wire. */
export class IngestStep {
  readonly config: Readonly<Record<string, unknown>>;

  /** Use `ingest` and `ingestNongeospatial`. */
  constructor(config: Record<string, unknown>) {
    this.config = config;
  }

  /** Does it on the host, and waits. @throws an Error where the host cannot ingest, which says what can; PermissionDeniedError */
  run(): Promise<unknown> {
    return ingestHere(this.config.type as string, this.config);
  }

  /**
   * Starts it as a job of the server that `options` names. @returns the job, for `api.jobWaitForJob` and its like
   * @throws an Error named ServerError where the server refuses; UsageError without a server
   */
  runBatch({ name = null, ...options }: StartJobOptions & { name?: string | null } = {}): Promise<JobStatus> {
    return serverApi.startJob({ name, steps: [this.config] }, options);
  }
}

/** Has the host ingest. @throws an Error where it cannot */
export async function ingestHere(kind: string, config: object): Promise<unknown> {
  try {
    return await door.call("tables.ingest", kind, config);
  } catch (error) {
    // A host without it.
    if ((error as Error).name !== "UsageError") throw error;
    throw new Error(
      `Cannot ingest here (${kind}): that takes a runtime or a server with ingestion: run this UDF on one, or start it as a job of such a server: runBatch() of a step, with options.baseUrl`,
    );
  }
}

const STEP = { name: null, metadata: null, ignore_chunk_error: false, n_processes: null };

const GEOSPATIAL = {
  outputMetadata: null,
  schema: null,
  fileSuffix: null,
  loadColumns: null,
  removeCols: [],
  explodeGeometries: false,
  dropOutOfBounds: null,
  partitioningMethod: "rows",
  partitioningMaximumPerFile: null,
  partitioningMaximumPerChunk: null,
  partitioningMaxWidthRatio: 2,
  partitioningMaxHeightRatio: 2,
  partitioningForceUtm: "chunk",
  partitioningSplitMethod: "mean",
  subdivideMethod: null,
  subdivideStart: null,
  subdivideStop: null,
  splitIdenticalCentroids: true,
  targetNumChunks: 500,
  lonlatCols: null,
  partitioningSchemaInput: null,
  gdalConfig: {},
  overwrite: false,
  writeCoveringBbox: false,
};

const NONGEOSPATIAL = {
  outputMetadata: null,
  partitionCol: null,
  partitioningMaximumPerFile: 2_500_000,
  partitioningMaximumPerChunk: 65_000,
};

const ONE_OF: Readonly<Record<string, readonly unknown[]>> = {
  partitioningMethod: ["area", "length", "coords", "rows"],
  partitioningForceUtm: ["file", "chunk", null],
  partitioningSplitMethod: ["mean", "median"],
  subdivideMethod: ["area", null],
};

/** `targetNumChunks` as `target_num_chunks`. */
export const wireNames = (options: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );

/** @throws TypeError for an option that is none, or has another kind of value than its default */
function withDefaults(what: string, options: object, defaults: Readonly<Record<string, unknown>>) {
  const refuse = (name: string, rule: string, received: unknown): never => {
    throw new TypeError(`Cannot ${what}: ${name} must be ${rule}: received ${JSON.stringify(received)}`);
  };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name))
      refuse("an option", `one of ${Object.keys(defaults).join(", ")}`, name);
    const normal = defaults[name];
    const choices = ONE_OF[name];
    if (choices && !choices.includes(value)) refuse(name, `one of ${JSON.stringify(choices)}`, value);
    if (["number", "boolean"].includes(typeof normal) && typeof value !== typeof normal)
      refuse(name, `a ${typeof normal}`, value);
  }
  return { ...defaults, ...options };
}

function placesOf(what: string, input: unknown): string | readonly string[] {
  const places = Array.isArray(input) ? input : [input];
  if (places.length > 0 && places.every((place) => typeof place === "string" && place !== ""))
    return input as string | readonly string[];
  throw new TypeError(
    `Cannot ${what}: the input must be the place of a file or a folder, or a list of them: write other data to one with api.upload`,
  );
}

/**
 * Describes how data with geometries become a table of files and chunks.
 * @param input the place of a file or a folder, or several @param output the place of the table
 * @returns the description; `run()` does it
 * @throws TypeError for what is no option or input; RangeError for options that do not go together
 */
export function ingest(
  input: string | readonly string[],
  output: string | null = null,
  options: IngestOptions = {},
): IngestStep {
  const { schema, gdalConfig, ...rest } = withDefaults("ingest", options, GEOSPATIAL) as IngestOptions;
  if ((rest.subdivideStart != null || rest.subdivideStop != null) && rest.subdivideMethod == null) {
    throw new RangeError(
      'Cannot ingest: subdivideStart and subdivideStop need subdivideMethod (it should be "area")',
    );
  }
  return new IngestStep({
    type: "partition_geospatial",
    ...STEP,
    input: placesOf("ingest", input),
    output,
    table_schema: schema,
    ...wireNames(rest),
    gdal_config: { open_options: gdalConfig?.openOptions ?? {}, layer: gdalConfig?.layer ?? null },
  });
}

/**
 * Describes how data without geometries become a table. Arguments, result and errors are as of `ingest`.
 */
export function ingestNongeospatial(
  input: string | readonly string[],
  output: string | null = null,
  options: IngestNongeospatialOptions = {},
): IngestStep {
  return new IngestStep({
    type: "partition_nongeospatial",
    ...STEP,
    input: placesOf("ingest", input),
    output,
    overwrite: false,
    ...wireNames(withDefaults("ingest", options, NONGEOSPATIAL)),
  });
}
