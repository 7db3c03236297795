import { describe, expect, test } from "vitest";
import { CancelledError, JobPoolTailTimeoutError, UdfTimeoutError } from "../../../runtime/errors.ts";
import { asked, json, open, origin, replies, source } from "./fixtures/wire-server.ts";

describe("jobs", () => {
  const state = (status: string, more = {}) =>
    json({
      job_id: "j",
      job_name: "one",
      status,
      terminal_status: status === "terminated",
      total_tasks: 1,
      finished_tasks: 0,
      ...more,
    });

  test("start, are followed, and give their results in order", async () => {
    replies["POST run"] = [state("pending")];
    replies["GET run/by-id/j"] = [
      state("running"),
      state("running"),
      state("terminated", { finished_job_status: true, job_status: "Done" }),
    ];
    const entry = (message: string, timestamp: number) => ({ message, timestamp });
    replies["GET logs/j"] = [
      json([entry("a\n", 1), entry("b", 2)]),
      json([entry("b", 2), entry("c", 2)]),
      json([entry("b", 2), entry("c", 2), entry("d", 5)]),
    ];
    const server = open();
    const job = await server.startUdfJob(source(), { parameters: { n: 1 }, instanceType: "m5.large" });
    expect(asked[0]?.query).toEqual({ instance_type: "m5.large" });
    expect(JSON.parse(asked[0]?.body as string).config.steps[0].udf.parameters).toEqual({ n: 1 });
    await server.startUdfJob(source(), { argumentList: [{ n: 2n ** 60n }, [2n ** 60n], new Set(["a"])] });
    expect(asked.at(-1)?.body).toContain('"input":[{"n":1152921504606846976},[1152921504606846976],["a"]]');
    const lines: string[] = [];
    await server.jobTailLogs(job, {
      sampleLogs: false,
      refreshSeconds: 0,
      print: (line) => lines.push(line),
    });
    expect(lines).toEqual(["a", "b", "c", "d"]);
    expect((await server.jobWaitForJob("j")).jobStatus).toBe("Done");
    const names = ["10.json", "9.json", "9.json.metadata", "10.json.metadata"];
    replies["GET run/by-id/j/results"] = [
      json(names.map((name) => ({ name, url: `${origin}/signed/${name}` }))),
    ];
    for (const n of [9, 10]) {
      replies[`GET /signed/${n}.json`] = [json(n)];
      replies[`GET /signed/${n}.json.metadata`] = [json({ stdout: `of ${n}` })];
    }
    const results = await server.jobWaitForResults(job);
    expect(results.map(({ value, stdout }) => [value, stdout])).toEqual([
      [9, "of 9"],
      [10, "of 10"],
    ]);
    expect(asked.at(-1)?.headers.authorization).toBeUndefined();
    replies["GET /signed/9.json.metadata"] = [
      json({ has_exception: true, errormsg: "bad", exception: "E: bad", exception_class: "E" }),
    ];
    await expect(server.jobGetResults("j")).rejects.toMatchObject({ type: "E" });
  });

  test("are waited for as long as somebody wants to", async () => {
    replies["GET run/by-id/j"] = [state("running")];
    replies["GET logs/j"] = [json([])];
    const server = open();
    const tail = server.jobTailLogs("j", { refreshSeconds: 0.01, timeoutSeconds: 0.03, print() {} });
    await expect(tail).rejects.toBeInstanceOf(JobPoolTailTimeoutError);
    const waiting = server.jobWaitForJob("j", { pollIntervalSeconds: 0.01, timeoutSeconds: 0.03 });
    await expect(waiting).rejects.toBeInstanceOf(UdfTimeoutError);
    await expect(server.jobGetExecTime("j")).rejects.toThrow("it has no logs");
    const stop = new AbortController();
    const stopped = server.jobWaitForJob("j", { pollIntervalSeconds: 60, signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await expect(stopped).rejects.toBeInstanceOf(CancelledError);
    await expect(server.jobGetStatus("" as string)).rejects.toThrow(/A job must be an id/);
  });
});
