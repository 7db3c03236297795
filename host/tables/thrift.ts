/**
 * Thrift's compact protocol, as Parquet writes its footers (thrift/doc/specs/thrift-compact-protocol.md): structs come apart into their
 * fields and go together again, whatever the fields mean. The bytes may be anybody's: depth, lengths and the number of values are bounded.
 */
import { concat } from "../../runtime/bytes.ts";

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const STRUCT = 12;

const MOST_DEPTH = 16;
/** Each takes about 100 bytes as an object. */
const MOST_VALUES = 2_000_000;

/** Numbers (whole ones up to 2^53), bytes, doubles as their 8 bytes, lists and structs. */
export type Value = number | boolean | Uint8Array | List | Struct;

export interface List {
  type: number;
  items: Value[];
}

/** Fields by their numbers, in rising order. */
export type Struct = Map<number, { type: number; value: Value }>;

/** @throws RangeError for bytes that are no struct */
export function readStruct(bytes: Uint8Array): Struct {
  let at = 0;
  let values = 0;
  const refuse = (why: string): never => {
    throw new RangeError(why);
  };
  const byte = () => bytes[at++] ?? refuse("it is cut off");
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const next = byte();
      value += (next & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) refuse("a number in it is too large");
      if (next < 128) return value;
    }
  };
  const signed = () => {
    const value = varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  const take = (length: number) => {
    if (length > bytes.length - at) refuse("it is cut off");
    return bytes.subarray(at, (at += length));
  };
  const read = (type: number, depth: number): Value => {
    if (++values > MOST_VALUES) refuse(`it has more than ${MOST_VALUES} values`);
    if (depth > MOST_DEPTH) refuse("it is nested too deep");
    if (type === BYTE) return byte();
    if (type > BYTE && type <= I64) return signed();
    if (type === DOUBLE) return take(8);
    if (type === BINARY) return take(varint());
    if (type === STRUCT) return struct(depth);
    return type === LIST || type === SET ? list(depth) : refuse(`it has a value of the unknown type ${type}`);
  };
  const list = (depth: number): List => {
    const header = byte();
    const type = header & 15;
    const items: Value[] = [];
    const length = header >> 4 === 15 ? varint() : header >> 4;
    for (let i = 0; i < length; i++)
      items.push(type === TRUE || type === FALSE ? byte() === TRUE : read(type, depth + 1));
    return { type, items };
  };
  const struct = (depth: number): Struct => {
    const fields: Struct = new Map();
    for (let id = 0, header = byte(); header !== 0; header = byte()) {
      const type = header & 15;
      id = header >> 4 === 0 ? signed() : id + (header >> 4);
      fields.set(id, {
        type,
        value: type === TRUE || type === FALSE ? type === TRUE : read(type, depth + 1),
      });
    }
    return fields;
  };
  return struct(0);
}

/** The bytes of a struct. */
export function writeStruct(fields: Struct): Uint8Array {
  const parts: Uint8Array[] = [];
  let open: number[] = [];
  const close = () => {
    parts.push(Uint8Array.from(open));
    open = [];
  };
  const varint = (value: number) => {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) open.push((rest % 128) + 128);
    open.push(rest);
  };
  const signed = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value);
  const write = (type: number, value: Value): void => {
    if (type === STRUCT) struct(value as Struct);
    else if (type === LIST || type === SET) list(value as List);
    else if (value instanceof Uint8Array) {
      if (type === BINARY) varint(value.length);
      close();
      parts.push(value);
    } else if (type === BYTE) open.push(value as number);
    else signed(value as number);
  };
  const list = ({ type, items }: List) => {
    open.push((Math.min(items.length, 15) << 4) | type);
    if (items.length >= 15) varint(items.length);
    for (const item of items) {
      if (typeof item === "boolean") open.push(item ? TRUE : FALSE);
      else write(type, item);
    }
  };
  const struct = (members: Struct) => {
    let last = 0;
    for (const [id, { type, value }] of members) {
      const kind = typeof value === "boolean" ? (value ? TRUE : FALSE) : type;
      if (id > last && id - last < 16) open.push(((id - last) << 4) | kind);
      else {
        open.push(kind);
        signed(id);
      }
      if (typeof value !== "boolean") write(type, value);
      last = id;
    }
    open.push(0);
  };
  struct(fields);
  close();
  return concat(parts);
}
