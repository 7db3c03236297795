/** Arrow tables: into a TypeScript UDF and out of one. */
import * as arrow from "apache-arrow";
import { type Case, checksum, defineCase, table, typescript, typescriptWith } from "../case.ts";
import { allColumns, allTypes, column, ipcOf, small, smallColumns } from "../tables.ts";

const guest = "import { table, TableValue } from 'fuselet/udf';";

const MANY = 1_000_000;

export default [
  defineCase("a table goes in and comes back, byte for byte", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    parameters: ({ TableValue }) => ({ data: new TableValue(small) }),
    value: table("arrow", smallColumns, { rows: 3, meta: {}, checksum: checksum(small) }),
  }),
  defineCase("a table of every type of column goes in and comes back, byte for byte", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    parameters: ({ TableValue }) => ({ data: new TableValue(allTypes) }),
    value: table("arrow", allColumns, { rows: 3, checksum: checksum(allTypes) }),
  }),
  defineCase("a UDF sees a table's kind, meta and stream", {
    typescript: typescriptWith(
      "{ data: TableValue }",
      "[given.data instanceof TableValue, given.data.kind, given.data.meta, given.data.ipc]",
      guest,
    ),
    parameters: ({ TableValue }) => ({ data: new TableValue(small, "series", { name: "n" }) }),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) => {
      const data = new TableValue(small, "series", { name: "n" });
      const value = (await runtime.run(source, { parameters: { data } })).value as unknown[];
      return [...value.slice(0, 3), checksum(value[3] as Uint8Array) === checksum(small)];
    },
    value: [true, "series", { name: "n" }, true],
  }),
  defineCase("a UDF gives a table of a kind with its meta", {
    typescript: typescriptWith(
      "{ data: Uint8Array }",
      "new TableValue(given.data, 'dataframe', { index: ['id'], 'ключ': [null, 1.5] })",
      guest,
    ),
    parameters: { data: small },
    value: table("dataframe", smallColumns, { meta: { index: ["id"], ключ: [null, 1.5] } }),
  }),
  defineCase("the bytes of an Arrow stream become a table", {
    typescript: typescriptWith("{ data: Uint8Array }", "table(given.data)", guest),
    parameters: { data: small },
    value: table("arrow", smallColumns, { rows: 3, meta: {} }),
  }),
  defineCase("tables inside of lists and objects, twice the same", {
    typescript: typescriptWith("{ all: TableValue[] }", "({ first: given.all[0], all: given.all })", guest),
    parameters: ({ TableValue }) => ({ all: [new TableValue(small), new TableValue(small)] }),
    value: {
      first: table("arrow", smallColumns),
      all: [table("arrow", smallColumns), table("arrow", smallColumns)],
    },
  }),
  defineCase("tables without rows and without columns", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    runs: [
      {
        parameters: ({ TableValue }) => ({
          data: new TableValue(ipcOf({ a: column([], new arrow.Int32()), b: column([], new arrow.Utf8()) })),
        }),
        value: table("arrow", { a: ["Int32", []], b: ["Utf8", []] }, { rows: 0 }),
      },
      {
        parameters: ({ TableValue }) => ({ data: new TableValue(ipcOf({})) }),
        value: table("arrow", {}, { rows: 0 }),
      },
    ],
  }),
  defineCase("a million rows go in and come back", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) => {
      const ids = arrow.makeData({
        type: new arrow.Int32(),
        length: MANY,
        data: Int32Array.from({ length: MANY }, (_, i) => i),
      });
      const halves = arrow.makeData({
        type: new arrow.Float64(),
        length: MANY,
        data: Float64Array.from({ length: MANY }, (_, i) => i / 2),
      });
      const data = new TableValue(ipcOf({ id: ids, half: halves }));
      const result = await runtime.run(source, { parameters: { data } });
      const sum = (name: string) => {
        let total = 0;
        for (const value of result.table?.getChild(name) ?? []) total += value;
        return total;
      };
      return [result.table?.numRows, sum("id"), sum("half")];
    },
    // The sum of 0 … n - 1 is n (n - 1) / 2.
    value: [MANY, (MANY * (MANY - 1)) / 2, (MANY * (MANY - 1)) / 4],
  }),
  defineCase("a table is a list of records as a plain value", {
    typescript: typescriptWith("{ data: unknown }", "given.data"),
    scenario: async ({ runtime, source, fuselet: { TableValue } }) =>
      (await runtime.run(source, { parameters: { data: new TableValue(small) } })).value,
    value: [
      { id: 1, name: "a" },
      { id: 2, name: null },
      { id: 3, name: "Å🌍" },
    ],
  }),
  defineCase("bytes that are no Arrow stream are no table", {
    typescript: typescript("table(new Uint8Array([1, 2, 3, 4]))", guest),
    error: { name: "ResultError", path: "result", exitCode: 1, message: /no Arrow stream/ },
  }),
] satisfies Case[];
