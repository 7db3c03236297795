import { expect, test } from "vitest";
import type { Permissions } from "./descriptor.ts";
import { unite } from "./unite.ts";

const cases: [Permissions, Permissions, Permissions][] = [
  [{}, {}, {}],
  [{ net: ["b.org"] }, { net: ["a.org", "b.org"], cache: true }, { net: ["a.org", "b.org"], cache: true }],
  [{ net: ["a.org"] }, { net: true }, { net: true }],
  [
    { net: false, cache: false },
    { net: ["a.org"], cache: true },
    { net: ["a.org"], cache: true },
  ],
  [
    { net: true, deny: { net: ["b.org"] } },
    { deny: { net: ["a.org"], write: true } },
    { net: true, deny: { net: ["a.org", "b.org"], write: true } },
  ],
  [{ secrets: true }, { secrets: true }, { secrets: true }],
  [
    { secrets: ["A"] },
    { secrets: [{ name: "A", hosts: ["a.org"], reveal: true }] },
    {
      secrets: [
        { name: "A", hosts: true, reveal: false },
        { name: "A", hosts: ["a.org"], reveal: true },
      ],
    },
  ],
];

test.each(cases)("unite(%j, %j)", (a, b, both) => {
  expect(unite(a, b)).toEqual(both);
  expect(unite(both, {})).toEqual(both);
});
