/** The UDFs of this suite. */

/** The same everywhere: each set of packages has a snapshot, and building one takes seconds. */
const IMPORTS = "import fused, fsspec, pandas as pd, pyarrow as pa, pyarrow.parquet as pq\n";

/** One column of one row group: its sum, its first value and its length. */
const READ = `    column = parquet.read_row_group(group, columns=["value"])["value"].to_numpy()
    return [column.sum(), column[0], len(column)]
`;

const udf = (body: string) => `${IMPORTS}@fused.udf\ndef udf(url: str, group: int):\n    ${body}\n${READ}`;

/** Whatever fsspec opens. */
export const byFsspec = udf("parquet = pq.ParquetFile(fsspec.open(url).open())");

/** pyarrow's own way with URLs. */
export const byPyarrow = udf("parquet = pq.ParquetFile(url)");

/** A file at a path, read by the system's calls. */
export const byPath = udf('parquet = pq.ParquetFile(fused.download(url, "data/large.parquet"))');

/** Writes a small Parquet file and reads it in ways that work where nothing is read on demand. */
export const small = `${IMPORTS}
@fused.udf
def udf(url: str):
    frame = pd.DataFrame({"value": [1.5, 2.5]})
    with fsspec.open(url, "wb") as file:
        frame.to_parquet(file)
    frame.to_csv(url + ".csv", index=False)
    by_path = pq.ParquetFile(fused.download(url, "small.parquet")).read()
    with fsspec.open(url) as file:
        by_file = pd.read_parquet(file)
    return [by_path.num_rows, float(by_file["value"].sum()), len(pd.read_csv(url + ".csv"))]
`;

/** Has pyarrow's C++ call back for what the host would have to be asked for. */
export const calledBack = `${IMPORTS}
@fused.udf
def udf(url: str):
    return len(pd.read_parquet(url))
`;

/** Downloads a file and tells its length and four bytes at each of some places. */
export const downloaded = `
import fused
@fused.udf
def udf(url: str, places: list, checksum: str | None = None):
    path = fused.download(url, "data/file", checksum=checksum)
    with open(path, "rb") as file:
        parts = []
        for place in places:
            file.seek(place)
            parts.append(list(file.read(4)))
        return [path.stat().st_size, parts]
`;
