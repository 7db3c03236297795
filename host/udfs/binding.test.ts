import { expect, test, vi } from "vitest";
import { UsageError } from "../../runtime/errors.ts";
import type { UdfSource } from "../../runtime/udf.ts";
import type { Call } from "../host.ts";
import { udfBinding } from "./binding.ts";

const found: UdfSource = {
  name: "area",
  language: "python",
  code: "code",
  file: "area.py",
  headers: [{ moduleName: "utils", code: "help", file: "lib/utils.py" }],
  metadata: { "fused:slug": "area" },
  saved: { entrypoint: "udf", parameters: { a: 1 } },
};

async function github(answer: UdfSource | null, address: unknown = "https://github.com/o/r") {
  const call = { source: found } as Call;
  const readGitHub = vi.fn(async () => answer);
  const binding = udfBinding({ find: async () => null, readGitHub, atOnce: 1 });
  const value = await binding.github?.([address], call);
  expect(readGitHub).toHaveBeenCalledExactlyOnceWith(address, call);
  return value;
}

test("a UDF of GitHub is given with all that an isolate makes one of", async () => {
  expect(await github(found)).toEqual({
    name: "area",
    code: "code",
    entrypoint: "udf",
    headers: [{ module_name: "utils", source_code: "help", source_file: "lib/utils.py" }],
    metadata: { "fused:slug": "area" },
    parameters: { a: 1 },
  });
  const { saved: _, ...unsaved } = found;
  expect(await github(unsaved)).toMatchObject({ entrypoint: null, parameters: {} });
  expect(await github(null)).toBeNull();
});

test("what is no Python, or no address, is refused", async () => {
  await expect(github({ ...found, language: "typescript" })).rejects.toThrow(
    'Cannot read "https://github.com/o/r": it is typescript',
  );
  await expect(github(found, 3)).rejects.toThrow(UsageError);
});
