import { expect, test } from "vitest";
import { NdArray } from "../../runtime/value.ts";
import { encodedJson, encodedMembers } from "./encoded-json.ts";
import { writeResult } from "./negotiate.ts";

const written = async (text: string, { buffers = [] as Uint8Array[], hasConstants = false } = {}) =>
  new TextDecoder().decode(await encodedJson({ text, buffers }, { hasConstants }));

test("plain JSON stays as it is: floats, digits, the order of keys, escapes", async () => {
  for (const text of [
    "6.0",
    "-0.0",
    "1e+16",
    '{"b":1.0,"10":2,"9":[3.0,{"a":"\\"[{\\\\"}]}',
    "[]",
    "null",
    '"ü😀"',
  ])
    expect(await written(text)).toBe(text);
});

test("what has a tag is written as JSON has it, at any depth", async () => {
  expect(await written('{"$":"int","v":"9007199254740993"}')).toBe("9007199254740993");
  expect(await written('{"a":6.0,"t":{"$":"tuple","v":[1.0,{"$":"set","v":["]}"]},{}]},"z":{"b":[]}}')).toBe(
    '{"a":6.0,"t":[1.0,["]}"],{}],"z":{"b":[]}}',
  );
  expect(await written('[{"$":"decimal","v":"1.10"},{"$":"date","v":"2026-01-02"},2.0]')).toBe(
    '["1.10","2026-01-02",2.0]',
  );
  expect(await written('{"$":"complex","v":[1.0,-2.0]}')).toBe("[1.0,-2.0]");
  expect(
    await written('[{"$":"dict","v":[["$",1.0],["a,\\"",{"$":"dict","v":[["$",[[2.0,"x"]]]]}],["e",{}]]},3]'),
  ).toBe('[{"$":1.0,"a,\\"":{"$":[[2.0,"x"]]},"e":{}},3]');
  expect(await written('{"$":"dict","v":[]}')).toBe("{}");
});

test("NaN and infinities are null, or what Python's json module writes", async () => {
  const text = '[{"$":"float","v":"NaN"},{"$":"float","v":"-Infinity"},{"$":"float","v":"-0"},1.0]';
  expect(await written(text)).toBe("[null,null,-0.0,1.0]");
  expect(await written(text, { hasConstants: true })).toBe("[NaN,-Infinity,-0.0,1.0]");
});

test("bytes and arrays among JSON are written as they are elsewhere, with floats as floats", async () => {
  const buffers = [Uint8Array.of(1, 2), NdArray.from(Float64Array.of(1, 2.5, Number.NaN, -0)).npy];
  const text = '{"b":{"$":"bytes","b":0},"a":[{"$":"ndarray","b":1},2.0]}';
  expect(await written(text, { buffers })).toBe('{"b":"AQI=","a":[[1.0,2.5,null,-0.0],2.0]}');
  expect(await written(text, { buffers, hasConstants: true })).toContain("[1.0,2.5,NaN,-0.0]");
});

test("the members of an object by themselves", () => {
  const members = encodedMembers({
    text: '{"a\\"}":6.0,"b":{"$":"tuple","v":["},"]},"c":"x,","d":[[]],"e":{}}',
    buffers: [],
  });
  expect([...members].map(([name, { text }]) => [name, text])).toEqual([
    ['a"}', "6.0"],
    ["b", '{"$":"tuple","v":["},"]}'],
    ["c", '"x,"'],
    ["d", "[[]]"],
    ["e", "{}"],
  ]);
  for (const text of ["[1]", "{}", '{"$":"dict","v":[]}', "5"])
    expect(encodedMembers({ text, buffers: [] }).size).toBe(0);
});

test("long lists and texts take no stack", async () => {
  const text = `[{"$":"tuple","v":[${"1.0,".repeat(300_000)}"${"x".repeat(3_000_000)}"]},${"[".repeat(900)}${"]".repeat(900)}]`;
  const expected = text.replace('{"$":"tuple","v":', "").replace("]},[", "],[");
  expect((await written(text)) === expected).toBe(true);
});

test("writeResult() takes the encoded value for JSON, and for the members of an archive", async () => {
  const wish = { formats: ["npy", "json"], isFirm: true, hasConstants: true } as const;
  const json = await writeResult([6, Number.NaN], wish, {
    text: '[6.0,{"$":"float","v":"NaN"}]',
    buffers: [],
  });
  expect(new TextDecoder().decode(json.bytes)).toBe("[6.0,NaN]");
  const array = NdArray.from(Float64Array.of(1));
  const text = '{"a":{"$":"ndarray","b":0},"b":6.0}';
  const { bytes } = await writeResult({ a: array, b: 6 }, wish, { text, buffers: [array.npy] });
  const { unzipSync, strFromU8 } = await import("fflate");
  expect(strFromU8(unzipSync(bytes).b as Uint8Array)).toBe("6.0");
});
