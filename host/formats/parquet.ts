/**
 * Parquet, through parquet-wasm (5 MB, loaded on first use). Tables with geometries are GeoParquet 1.1
 * (https://geoparquet.org/releases/v1.1.0): the `geo` key stands in the footer and in the embedded Arrow schema, for some
 * readers look only at the one, some only at the other.
 */
import { MediaValue, TableValue } from "../../runtime/value.ts";
import { encodeArrow } from "./arrow.ts";
import { geoMetadata } from "./geo-metadata.ts";
import { prepareForParquet } from "./parquet-types.ts";

/** Where parquet-wasm's binary is: needed in pages only, where nothing else says so. */
export type WasmSource = URL | Uint8Array<ArrayBuffer> | (() => Promise<URL | Uint8Array<ArrayBuffer>>);

/**
 * Encodes a table or a list of records, compressed with Snappy.
 * @throws UnsuitableError for anything else.
 */
export async function encodeParquet(
  value: unknown,
  { wasm }: { wasm?: WasmSource } = {},
): Promise<Uint8Array> {
  if (value instanceof MediaValue && value.type === "application/vnd.apache.parquet") return value.bytes;
  const geo = value instanceof TableValue ? geoMetadata(value) : null;
  const [ipc, parquet] = await Promise.all([
    value instanceof TableValue ? prepareForParquet(value, geo) : encodeArrow(value),
    loadParquet(wasm),
  ]);
  const builder = new parquet.WriterPropertiesBuilder().setCompression(parquet.Compression.SNAPPY);
  const properties = (geo === null ? builder : builder.setKeyValueMetadata(new Map([["geo", geo]]))).build();
  // Both are consumed by the writer.
  return parquet.writeParquet(parquet.Table.fromIPCStream(ipc), properties);
}

type Parquet = typeof import("parquet-wasm/esm");

let loading: Promise<Parquet> | undefined;

/** The Node build is ready once it is imported; the build for pages must be told to start. */
function loadParquet(wasm: WasmSource | undefined): Promise<Parquet> {
  loading ??= (async () => {
    const module = (await import("parquet-wasm")) as unknown as Parquet;
    if (typeof module.default === "function") {
      const source = typeof wasm === "function" ? await wasm() : wasm;
      await module.default(source === undefined ? undefined : { module_or_path: source });
    }
    return module;
  })().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}
