/** Results that need a library to be read: tables, and archives of several results. */
import type { ParquetReader } from "../../../host/tables/parquet.ts";
import { readZip } from "../../../host/udfs/zip.ts";
import { isRecord } from "../../../runtime/record.ts";
import { type DecodeMore, decodeResult } from "./decode.ts";

const ZIP_LIMITS = { maxEntries: 10_000, maxTotalBytes: 1024 ** 3, maxRatio: 1000 };
const TAIL = 8;

/** @param openReader reads Parquet; undefined where nothing does: such a result is a document then */
export function decodeMore(openReader: (() => Promise<ParquetReader>) | undefined): DecodeMore {
  const more: DecodeMore = async (kind, body) => {
    if (kind === "application/zip") return several(body);
    if (kind === "application/vnd.apache.arrow.stream") return stream(body);
    return kind === "parquet" && openReader ? parquet(body, await openReader()) : null;
  };

  /** `meta.json` says what the others are. */
  async function several(body: Uint8Array): Promise<Record<string, unknown>> {
    const members = readZip(body, ZIP_LIMITS);
    const meta: unknown = JSON.parse(new TextDecoder().decode(members["meta.json"]));
    const files = isRecord(meta) && isRecord(meta.files) ? meta.files : {};
    const values: Record<string, unknown> = {};
    for (const [name, about] of Object.entries(files)) {
      const type = isRecord(about) ? String(about.content_type) : "";
      values[name] = await decodeResult(members[name] ?? new Uint8Array(), type, more);
    }
    return values;
  }
  return more;
}

/** A table whose schema says which of its columns are geometries. */
async function stream(body: Uint8Array): Promise<unknown> {
  const [{ tableFromIPC }, { tableOf }] = await Promise.all([
    import("apache-arrow"),
    import("../../../host/tables/rows.ts"),
  ]);
  return tableOf([body], tableFromIPC(body).schema.metadata, null);
}

/** A table that says which of its columns are geometries, as the file does. */
async function parquet(file: Uint8Array, reader: ParquetReader): Promise<unknown> {
  const [{ Footer, footerLength }, { tableOf }] = await Promise.all([
    import("../../../host/tables/footer.ts"),
    import("../../../host/tables/rows.ts"),
  ]);
  const what = "the result";
  const end = file.length - TAIL;
  const start = end - footerLength(file.subarray(end), what);
  const { keyValues } = new Footer(file.subarray(Math.max(0, start), end), what);
  return tableOf([reader.read(file)], keyValues, null);
}
