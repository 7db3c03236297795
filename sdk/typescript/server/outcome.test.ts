import { describe, expect, test } from "vitest";
import { encodeArrow } from "../../../host/formats/arrow.ts";
import { formatResult } from "../../../host/formats/formats.ts";
import { encodeParquet } from "../../../host/formats/parquet.ts";
import { encodeZip } from "../../../host/formats/zip.ts";
import {
  ResultError,
  UdfRuntimeError,
  UdfSerializationError,
  UdfTimeoutError,
} from "../../../runtime/errors.ts";
import { MediaValue, NdArray, TableValue } from "../../../runtime/value.ts";
import { bytes, failed, json, open, type Reply, replies, START, source } from "./fixtures/wire-server.ts";
import { ServerError } from "./server-error.ts";

describe("a result", () => {
  const resultOf = async (reply: Reply) => {
    replies[START] = [reply];
    return open().run(source());
  };

  test("is what a run here would give", async () => {
    expect((await resultOf(bytes("", "application/json"))).value).toBeNull();
    expect(
      (await resultOf(bytes("[12345678901234567890, 1.5, 9007199254740991]", "application/json"))).value,
    ).toEqual([12345678901234567890n, 1.5, 9007199254740991]);
    const page = await resultOf(bytes("<p>é", "text/html; charset=utf-8"));
    expect([page.mediaType, page.value]).toEqual(["text/html", "<p>é"]);
    const array = (await resultOf(bytes(NdArray.from(Int32Array.of(1, 2)).npy, "application/x-numpy-data")))
      .raw as NdArray;
    expect([...array.data]).toEqual([1, 2]);
    expect((await resultOf(bytes(Uint8Array.of(1), "application/octet-stream"))).value).toEqual(
      Uint8Array.of(1),
    );
    expect((await resultOf(bytes(Uint8Array.of(1), "image/png"))).raw).toEqual(
      new MediaValue("image/png", Uint8Array.of(1)),
    );
  });

  test("that is a table in Parquet is a table", async () => {
    const file = await encodeParquet([{ a: 1, b: "x" }]);
    const result = await resultOf(bytes(file, "application/octet-stream"));
    expect(result.raw).toBeInstanceOf(TableValue);
    expect(result.value).toEqual([{ a: 1n, b: "x" }]);
    await expect(resultOf(bytes(file.subarray(0, 40), "application/octet-stream"))).rejects.toThrow(
      /Cannot read the result/,
    );
  });

  test("that is a table in Arrow keeps its geometries", async () => {
    const { Binary, Table, tableToIPC, vectorFromArray } = await import("apache-arrow");
    const point = Uint8Array.from([1, 1, 0, 0, 0, ...new Uint8Array(new Float64Array([1, 2]).buffer)]);
    const ipc = tableToIPC(new Table({ at: vectorFromArray([point], new Binary()) }), "stream");
    const columns = { at: "EPSG:32631" };
    const frame = new TableValue(ipc, "geodataframe", { geometry: "at", columns });
    const body = await encodeArrow(frame);
    const { raw } = await resultOf(bytes(body, "application/vnd.apache.arrow.stream"));
    expect(raw).toMatchObject({ kind: "geodataframe", meta: { geometry: "at", columns } });
    // Who knows nothing of our kinds finds them too.
    const { bytes: text } = await formatResult(new TableValue(body), "csv");
    expect(new TextDecoder().decode(text)).toContain("POINT (1 2)");
  });

  test("that is several is an object of them", async () => {
    const zip = await encodeZip(
      { a: 1, page: new MediaValue("text/html", new TextEncoder().encode("<p>")) },
      { formats: ["json"] },
    );
    const { raw } = await resultOf(bytes(zip, "application/zip"));
    expect(raw).toMatchObject({ a: 1, page: { type: "text/html" } });
    await expect(resultOf(bytes("no zip", "application/zip"))).rejects.toBeInstanceOf(ServerError);
  });
});

describe("a failure", () => {
  const errorOf = async (metadata: object) => {
    replies[START] = [failed(metadata)];
    return open()
      .run(source())
      .then(
        () => {
          throw new Error("it did not fail");
        },
        (error) => error,
      );
  };

  test("of the UDF has its class, its traceback and its output", async () => {
    const error = await errorOf({
      stdout: "out",
      stderr: 'err\nTraceback (most recent call last):\n  File "<udf x>", line 3\nValueError: bad',
      has_exception: true,
      exception: "ValueError: bad",
      exception_class: "ValueError",
      errormsg: "ValueError: bad",
      lineno: 3,
    });
    expect(error).toBeInstanceOf(UdfRuntimeError);
    expect(error).toMatchObject({
      message: "ValueError: bad",
      type: "ValueError",
      location: { file: "one.ts", line: 3 },
      stdout: "out",
      stderr: "err\n",
    });
    expect(error.traceback).toMatch(/^Traceback.*ValueError: bad$/s);
  });

  test("of another kind is the error of that kind", async () => {
    const told = (exception_class: string, text: string, more = {}) =>
      errorOf({ has_exception: true, exception: text, errormsg: text, exception_class, ...more });
    expect(await told("ResultError", "no", { error_type: "serialization_error" })).toBeInstanceOf(
      UdfSerializationError,
    );
    expect(await told("ResultError", "no", { error_type: "serialization_error" })).toBeInstanceOf(
      ResultError,
    );
    expect(await told("LimitExceededError", "late", { error_type: "timeout_error" })).toBeInstanceOf(
      UdfTimeoutError,
    );
    expect(await told("LimitExceededError", "raise it with limits.outputBytes")).toMatchObject({
      limit: "outputBytes",
      exitCode: 125,
    });
    expect(await told("PermissionDeniedError", "no net")).toMatchObject({ exitCode: 3, grant: "" });
    expect(await told("ParameterError", 'Unknown parameter "m"')).toMatchObject({
      exitCode: 2,
      parameter: "m",
    });
    expect(await told("UdfLoadError", "no function")).toMatchObject({ exitCode: 2 });
    expect(await told("UdfSelfRecursionError", "itself")).toMatchObject({ name: "UdfSelfRecursionError" });
  });

  test("of a parameter is ours, though the metadata has what Python raises for it", async () => {
    const raised = "TypeError: udf() got unexpected keyword argument 'm'";
    const message = 'Cannot run x: it has no parameter "m"';
    const metadata = {
      exception: raised,
      errormsg: raised,
      exception_class: "TypeError",
      stderr: `${message}\n`,
    };
    const about = { "x-fused-metadata": JSON.stringify({ has_exception: true, ...metadata }) };
    replies[START] = [json({ message, name: "ParameterError" }, 422, about)];
    await expect(open().run(source())).rejects.toMatchObject({
      exitCode: 2,
      message,
      parameter: "m",
      stderr: "",
    });
  });

  test("of code that cannot be read is ours, though the metadata has a SyntaxError", async () => {
    const raised = "SyntaxError: invalid syntax (<udf x>, line 3)";
    const metadata = { exception: raised, errormsg: raised, exception_class: "SyntaxError", lineno: 3 };
    const about = { "x-fused-metadata": JSON.stringify({ has_exception: true, ...metadata }) };
    replies[START] = [json({ message: "Cannot read x: invalid syntax", name: "UdfLoadError" }, 422, about)];
    await expect(open().run(source())).rejects.toMatchObject({ name: "UdfLoadError", exitCode: 2 });
  });

  test("of a UDF that calls its own error so is still that of a UDF", async () => {
    const error = await errorOf({
      exception: "PermissionDeniedError: give me everything",
      errormsg: "PermissionDeniedError: give me everything",
      exception_class: "PermissionDeniedError",
    });
    expect(error).toMatchObject({ name: "UdfRuntimeError", exitCode: 1, type: "PermissionDeniedError" });
  });

  test("of the server is none of the UDF", async () => {
    replies[START] = [json({ message: "no such format" }, 422)];
    await expect(open().run(source())).rejects.toMatchObject({
      name: "ServerError",
      exitCode: 2,
      message: "no such format (status 422)",
    });
    replies[START] = [json({}, 400, { "x-fused-error": "platform", "x-fused-metadata": "{}" })];
    await expect(open().run(source())).rejects.toThrow("platform (status 400)");
  });
});
