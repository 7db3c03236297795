/** The media types of files, by their names. */

/** What a browser may show: nothing in it runs. All else is saved, not shown. */
const SHOWN: Readonly<Record<string, string>> = {
  avif: "image/avif",
  csv: "text/plain; charset=utf-8",
  geojson: "application/geo+json",
  gif: "image/gif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  jsonl: "text/plain; charset=utf-8",
  md: "text/plain; charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  png: "image/png",
  txt: "text/plain; charset=utf-8",
  webm: "video/webm",
  webp: "image/webp",
};

/** What is saved, and what clients read by its type: results of jobs. */
const SAVED: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  npy: "application/x-numpy-data",
  parquet: "application/vnd.apache.parquet",
  tif: "image/tiff",
  tiff: "image/tiff",
  zip: "application/zip",
};

/** A media type for a file, and whether a browser may show it. @param name its name or path */
export function mediaTypeOf(name: string): { type: string; isShown: boolean } {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const isShown = Object.hasOwn(SHOWN, extension);
  const types = isShown ? SHOWN : SAVED;
  const type = Object.hasOwn(types, extension) ? types[extension] : undefined;
  return { type: type ?? "application/octet-stream", isShown };
}
