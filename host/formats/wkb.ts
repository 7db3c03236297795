/**
 * Reads well-known binary: ISO 13249-3 (types + 1000 for Z, + 2000 for M) and EWKB (flags for Z, M and an SRID), in either
 * byte order, all seven types. A measure (M) is read and dropped: GeoJSON has no place for it.
 */
import { ResultError } from "../../runtime/errors.ts";

export type Position = number[];

export type Geometry =
  | { type: "Point"; coordinates: Position }
  | { type: "LineString" | "MultiPoint"; coordinates: Position[] }
  | { type: "Polygon" | "MultiLineString"; coordinates: Position[][] }
  | { type: "MultiPolygon"; coordinates: Position[][][] }
  | { type: "GeometryCollection"; geometries: Geometry[] };

const TYPES = [
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
] as const;

const MAX_NESTING = 32;

/**
 * Reads one geometry.
 * @throws ResultError where the bytes are damaged or hold a type that GeoJSON has not.
 */
export function readWkb(bytes: Uint8Array): Geometry {
  const reader = new Reader(bytes);
  const geometry = reader.geometry(0);
  if (!reader.isAtEnd) throw bad("bytes are left over");
  return geometry;
}

const bad = (why: string) => new ResultError(`Cannot read a geometry: ${why}`, { path: "result" });

class Reader {
  readonly #view: DataView;
  #at = 0;
  #little = true;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#view.byteLength;
  }

  geometry(depth: number): Geometry {
    if (depth > MAX_NESTING) throw bad(`collections are nested more than ${MAX_NESTING} levels deep`);
    const { name, dimensions, hasZ } = this.#header();
    const positions = () => this.#list(8 * dimensions, () => this.#position(dimensions, hasZ));
    switch (name) {
      case "Point":
        return { type: name, coordinates: this.#position(dimensions, hasZ) };
      case "LineString":
        return { type: name, coordinates: positions() };
      case "Polygon":
        return { type: name, coordinates: this.#list(4, positions) };
      case "GeometryCollection":
        return { type: name, geometries: this.#list(5, () => this.geometry(depth + 1)) };
      default: {
        const single = name.slice(5);
        const parts = this.#list(5, () => {
          const part = this.geometry(depth + 1);
          if (part.type !== single) throw bad(`a ${name} has a ${part.type} in it`);
          return (part as { coordinates: unknown }).coordinates;
        });
        return { type: name, coordinates: parts } as Geometry;
      }
    }
  }

  #header(): { name: (typeof TYPES)[number]; dimensions: number; hasZ: boolean } {
    this.#need(5);
    const order = this.#view.getUint8(this.#at);
    if (order > 1) throw bad(`its byte order is ${order}`);
    this.#little = order === 1;
    const code = this.#view.getUint32(this.#at + 1, this.#little);
    this.#at += 5;
    if (code & 0x20000000) {
      this.#need(4);
      this.#at += 4;
    }
    const iso = (code & 0x1fffffff) >>> 0;
    const group = Math.floor(iso / 1000);
    const name = TYPES[(iso % 1000) - 1];
    if (name === undefined || group > 3) throw bad(`its type is ${code >>> 0}, which GeoJSON cannot hold`);
    const hasZ = (code & 0x80000000) !== 0 || group === 1 || group === 3;
    const hasM = (code & 0x40000000) !== 0 || group >= 2;
    return { name, dimensions: 2 + Number(hasZ) + Number(hasM), hasZ };
  }

  #position(dimensions: number, hasZ: boolean): Position {
    this.#need(8 * dimensions);
    const position: Position = [];
    for (let index = 0; index < (hasZ ? 3 : 2); index++) {
      position.push(this.#view.getFloat64(this.#at + 8 * index, this.#little));
    }
    this.#at += 8 * dimensions;
    // Well-known binary has no empty point; NaN stands for it.
    return position.every(Number.isNaN) ? [] : position;
  }

  /** A count and its items; a count that the bytes left cannot hold is refused before anything is allocated. */
  #list<T>(leastBytes: number, read: () => T): T[] {
    this.#need(4);
    const count = this.#view.getUint32(this.#at, this.#little);
    this.#at += 4;
    this.#need(count * leastBytes);
    const little = this.#little;
    return Array.from({ length: count }, () => {
      this.#little = little;
      return read();
    });
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#view.byteLength) throw bad("it is cut off");
  }
}

/** The geometry as well-known text, as PostGIS and shapely write it: `POINT Z (1 2 3)`. */
export function toWkt(geometry: Geometry): string {
  const name = geometry.type.toUpperCase();
  if (geometry.type === "GeometryCollection") {
    const inner = geometry.geometries.map(toWkt).join(", ");
    return inner ? `${name} (${inner})` : `${name} EMPTY`;
  }
  const { coordinates } = geometry;
  if (coordinates.length === 0) return `${name} EMPTY`;
  const z = firstPosition(coordinates).length > 2 ? " Z" : "";
  return `${name}${z} ${geometry.type === "Point" ? `(${coordinates.join(" ")})` : nestedText(coordinates as Nested)}`;
}

type Nested = (number | Nested)[];

function firstPosition(coordinates: unknown[]): unknown[] {
  return Array.isArray(coordinates[0]) ? firstPosition(coordinates[0]) : coordinates;
}

function nestedText(items: Nested): string {
  return `(${items
    .map((item) =>
      Array.isArray(item) && typeof item[0] === "number" ? item.join(" ") : nestedText(item as Nested),
    )
    .join(", ")})`;
}
