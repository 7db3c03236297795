import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type MotoServer, startMoto } from "../../test/host/moto-server.ts";
import { storageCases } from "../../test/host/storage-cases.ts";
import { openRuns, pattern, type Runs, text, textOf } from "../../test/host/storage-run.ts";
import { s3Driver } from "./s3.ts";
import type { S3Options } from "./s3-service.ts";
import { openSend } from "./send.node.ts";
import type { Send } from "./send.ts";

const MiB = 1024 * 1024;

const moto: MotoServer | null = await startMoto().catch((error: Error) => {
  console.warn(`The tests of S3 with moto do not run here. ${error.message}`);
  return null;
});
const { send, close } = openSend();
const opened: Runs[] = [];

/** Runs on moto, or on another service. */
function runs(options: Partial<S3Options> = {}): Runs {
  const endpoint = moto ? { endpoint: moto.url, credentials: moto.credentials } : { credentials: null };
  const made = openRuns({ s3: s3Driver({ send, ...endpoint, ...options }) });
  opened.push(made);
  return made;
}

afterEach(() => {
  for (const each of opened.splice(0)) each.end();
});
afterAll(async () => {
  await close();
  await moto?.[Symbol.asyncDispose]();
});

const failure = (code: string) => expect.objectContaining({ name: "StorageError", code });

/** A service that answers as it is told. */
async function serve(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe.skipIf(moto === null)("s3:// on moto, which checks signatures", () => {
  // What is skipped is read all the same.
  const { url, python, credentials, request, checkSignatures } = moto ?? ({} as MotoServer);
  /** Keys as they are in the bucket. */
  const keys = async (bucket: string) =>
    Array.from(
      (await (await request("GET", `/${bucket}`)).text()).matchAll(/<Key>(.*?)<\/Key>/g),
      ([, key]) => key,
    );
  /** How many long files are being written to a bucket. */
  const uploads = async (bucket: string) => {
    await checkSignatures(false);
    const answer = await fetch(`${url}/${bucket}?uploads`);
    await checkSignatures(true);
    return Array.from((await answer.text()).matchAll(/<UploadId>/g)).length;
  };
  let number = 0;
  let bucket: string;

  beforeAll(async () => {
    expect((await request("PUT", "/cases")).status).toBe(200);
  });
  beforeEach(async () => {
    bucket = `bucket-${number++}`;
    expect((await request("PUT", `/${bucket}`)).status).toBe(200);
  });

  // moto looks first and then writes, so that several can win.
  const race = "of many that write what is not there, one does";
  test.each(Object.entries(storageCases).filter(([name]) => name !== race))("%s", async (_name, body) => {
    await body({ run: runs(), base: `s3://cases/case-${number++}` });
  });

  test("wrong keys are refused, and no error shows them", async () => {
    const storage = runs({ credentials: { ...credentials, secretAccessKey: "wrong-secret" } })();
    for (const attempt of [
      () => storage.list(`s3://${bucket}/`),
      () => storage.get(`s3://${bucket}/a`),
      () => storage.put(`s3://${bucket}/a`, text("1")),
      () => storage.delete(`s3://${bucket}/`, { maxDeletionDepth: "unlimited" }),
    ]) {
      const error = await attempt().then(
        () => null,
        (cause: Error) => cause,
      );
      expect(error).toEqual(failure("access"));
      expect(JSON.stringify(error) + error?.message).not.toMatch(
        new RegExp(`wrong-secret|${credentials.accessKeyId}`),
      );
    }
  });

  test("credentials are asked for before each request", async () => {
    let asked = 0;
    const storage = runs({
      credentials: async () => {
        asked++;
        if (asked > 2) throw new Error("secret reason");
        return credentials;
      },
    })();
    await storage.put(`s3://${bucket}/asked`, text("1"));
    await storage.delete(`s3://${bucket}/asked`).catch(() => {});
    await expect(storage.get(`s3://${bucket}/asked`)).rejects.toEqual(failure("config"));
    await expect(storage.get(`s3://${bucket}/asked`)).rejects.not.toThrow(/secret reason/);
  });

  test("a bucket that is not there is told", async () => {
    const storage = runs()();
    await expect(storage.list("s3://no-such-bucket/")).rejects.toThrow(/NoSuchBucket/);
    await expect(storage.put("s3://no-such-bucket/a", text("1"))).rejects.toThrow(/NoSuchBucket/);
  });

  test("2,500 keys come in pages, and all are deleted", { timeout: 120_000 }, async () => {
    const storage = runs()();
    const names = Array.from({ length: 2500 }, (_, i) => `s3://${bucket}/many/${String(i).padStart(4, "0")}`);
    const rest = [...names];
    const work = async () => {
      for (let name = rest.pop(); name; name = rest.pop()) await storage.put(name, text("1"));
    };
    await Promise.all(Array.from({ length: 16 }, work));
    const found: string[] = [];
    const sizes: number[] = [];
    for (let after: string | null = null, first = true; first || after !== null; first = false) {
      const page: Awaited<ReturnType<typeof storage.list>> = await storage.list(`s3://${bucket}/many`, {
        after,
      });
      sizes.push(page.entries.length);
      found.push(...page.entries.map((entry) => entry.url));
      after = page.next;
    }
    expect(sizes).toEqual([1000, 1000, 500]);
    expect(found).toEqual(names);
    const signed = await storage.signPrefix(`s3://${bucket}/many/`);
    expect(Object.keys(signed)).toEqual(names.map((name) => name.slice(`s3://${bucket}/`.length)));
    expect(await storage.delete(`s3://${bucket}/many/`)).toBe(true);
    expect(await keys(bucket)).toEqual([]);
  });

  test("signed URLs read and write", async () => {
    const storage = runs()();
    const place = `s3://${bucket}/signed/a b+ü%41.txt`;
    await storage.put(place, text("hello"));
    const readable = await storage.sign(place, { expiresSeconds: 60 });
    const writable = await storage.sign(`s3://${bucket}/signed/new`, { method: "PUT" });
    const all = await storage.signPrefix(`s3://${bucket}/signed/`);
    await checkSignatures(false);
    try {
      expect(await (await fetch(readable)).text()).toBe("hello");
      expect((await fetch(writable, { method: "PUT", body: "written" })).status).toBe(200);
      expect(Object.keys(all)).toEqual(["signed/a b+ü%41.txt"]);
      expect(await (await fetch(all["signed/a b+ü%41.txt"] as string)).text()).toBe("hello");
    } finally {
      await checkSignatures(true);
    }
    expect(textOf(await storage.get(`s3://${bucket}/signed/new`))).toBe("written");
  });

  test("signed URLs are those that botocore makes", async () => {
    const storage = runs({ credentials: { ...credentials, sessionToken: "to/ken+1=" } })();
    for (const [name, method] of [
      ["a", "GET"],
      ["a b/ü+&'()!*~%41", "GET"],
      ["x/y", "PUT"],
    ] as const) {
      const made = await storage.sign(`s3://${bucket}/${name}`, { method, expiresSeconds: 77 });
      const date = new URL(made).searchParams.get("X-Amz-Date") as string;
      const program = `
import datetime, sys, botocore.auth, botocore.awsrequest, botocore.credentials, botocore.compat
url, method, date, key, secret, token = sys.argv[1:]
now = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
botocore.auth.get_current_datetime = lambda *a, **k: now
request = botocore.awsrequest.AWSRequest(method=method, url=url)
credentials = botocore.credentials.Credentials(key, secret, token)
botocore.auth.S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=77).add_auth(request)
print(request.url)`;
      const { accessKeyId, secretAccessKey } = credentials;
      const bare = made.split("?")[0] as string;
      const result = spawnSync(
        python,
        ["-c", program, bare, method, date, accessKeyId, secretAccessKey, "to/ken+1="],
        { encoding: "utf8" },
      );
      expect(result.stderr).toBe("");
      const theirs = new URL(result.stdout.trim()).searchParams;
      const ours = new URL(made).searchParams;
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
    }
  });

  test("a long file that is given up leaves no upload behind; nor does one whose part fails", async () => {
    let isFailing = false;
    const flaky: Send = async (asked) => {
      if (isFailing && asked.path.includes("partNumber=2")) throw new Error("cut");
      return send(asked);
    };
    const storage = runs({ send: flaky })();
    const given = await storage.openWrite(`s3://${bucket}/given`);
    for (let i = 0; i < 2; i++) await storage.writePart(given, pattern(6 * MiB));
    expect(await uploads(bucket)).toBe(1);
    await storage.abortWrite(given);
    const failing = await storage.openWrite(`s3://${bucket}/failing`);
    await storage.writePart(failing, pattern(8 * MiB));
    await storage.writePart(failing, pattern(MiB));
    isFailing = true;
    await expect(storage.writePart(failing, pattern(8 * MiB))).rejects.toEqual(failure("network"));
    await expect(storage.commitWrite(failing)).rejects.toEqual(failure("request"));
    expect(await uploads(bucket)).toBe(0);
    expect(await keys(bucket)).toEqual([]);
  });

  test("failures that pass are no failures", async () => {
    let failures = 0;
    const flaky: Send = async (asked) => {
      if (failures++ % 3 === 0) throw new Error("cut");
      return send(asked);
    };
    const storage = runs({ send: flaky })();
    await storage.put(`s3://${bucket}/flaky`, text("1"));
    expect(textOf(await storage.get(`s3://${bucket}/flaky`))).toBe("1");
    expect(await storage.delete(`s3://${bucket}/flaky`)).toBe(true);
    expect(failures).toBeGreaterThan(4);
  });

  test("folders as other programs mark them, and keys that no place can have", async () => {
    const storage = runs()();
    for (const key of ["f/", "f/a", "f//b", "f/g/", "f/g/c", "f/d//"]) {
      const path = key.split("/").map(encodeURIComponent).join("/");
      expect((await request("PUT", `/${bucket}/${path}`)).status).toBe(200);
    }
    const urls = async (options: object) =>
      (await storage.list(`s3://${bucket}/f/`, options)).entries.map(({ url: each }) => each);
    expect(await urls({})).toEqual([`s3://${bucket}/f/a`, `s3://${bucket}/f/d/`, `s3://${bucket}/f/g/`]);
    expect(await urls({ recursive: true })).toEqual([`s3://${bucket}/f/a`, `s3://${bucket}/f/g/c`]);
    expect((await storage.details(`s3://${bucket}/f`)).isDirectory).toBe(true);
    expect(await storage.delete(`s3://${bucket}/f/`)).toBe(true);
    expect(await keys(bucket)).toEqual([]);
  });

  test("a key with a part .. is not deleted, and neither is what it could be taken for", async () => {
    const storage = runs()();
    await storage.put(`s3://${bucket}/victim`, text("1"));
    await storage.put(`s3://${bucket}/f/a`, text("1"));
    const listed = runs({
      send: async (asked) => {
        const answer = await send(asked);
        if (!asked.path.includes("list-type")) return answer;
        const xml = textOf(await new Response(answer.body as never).bytes()).replace(
          "<Key>f/a",
          "<Key>f/../victim",
        );
        return { ...answer, body: new Response(xml).body as never };
      },
    })();
    await expect(listed.delete(`s3://${bucket}/f/`)).rejects.toThrow(/cannot be named safely/);
    expect(await keys(bucket)).toEqual(["f/a", "victim"]);
  });
});

describe("s3://", () => {
  test("without credentials, nothing is signed, and nothing can be", async () => {
    const seen: unknown[] = [];
    await using server = await serve((asked, response) => {
      seen.push([asked.method, asked.url, asked.headers.authorization]);
      response.writeHead(200, { "content-length": 2 }).end("ok");
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    expect(textOf(await storage.get("s3://public/a b"))).toBe("ok");
    expect(seen).toEqual([["GET", "/public/a%20b", undefined]]);
    await expect(storage.sign("s3://public/a")).rejects.toEqual(failure("config"));
  });

  test.each([
    [undefined, undefined, "bucket", "https://bucket.s3.us-east-1.amazonaws.com", "/a"],
    ["eu-west-1", undefined, "bucket", "https://bucket.s3.eu-west-1.amazonaws.com", "/a"],
    ["eu-west-1", undefined, "a.bucket", "https://s3.eu-west-1.amazonaws.com", "/a.bucket/a"],
    ["eu-west-1", true, "bucket", "https://s3.eu-west-1.amazonaws.com", "/bucket/a"],
  ])("region %s, path style %s, bucket %s: %s%s", async (region, pathStyle, bucket, origin, path) => {
    const seen: string[] = [];
    const storage = openRuns({
      s3: s3Driver({
        credentials: { accessKeyId: "a", secretAccessKey: "b" },
        ...(region === undefined ? {} : { region }),
        ...(pathStyle === undefined ? {} : { pathStyle }),
        send: async (asked) => {
          seen.push(asked.origin + asked.path);
          expect(asked.headers.authorization).toContain(`/${region ?? "us-east-1"}/s3/aws4_request`);
          return { status: 200, header: () => null, body: new Response("ok").body as never };
        },
      }),
    })();
    await storage.get(`s3://${bucket}/a`);
    expect(seen).toEqual([origin + path]);
    expect((await storage.sign(`s3://${bucket}/a`)).startsWith(`${origin}${path}?X-Amz-Algorithm=`)).toBe(
      true,
    );
  });

  test("a bucket in another region is found, once", async () => {
    const seen: string[] = [];
    await using server = await serve((asked, response) => {
      const region = /\/([a-z0-9-]+)\/s3\//.exec(asked.headers.authorization ?? "")?.[1] ?? "";
      seen.push(region);
      if (region === "eu-north-1") response.end("ok");
      else
        response
          .writeHead(301, { "x-amz-bucket-region": "eu-north-1", location: "http://127.0.0.1:1/" })
          .end("<Error><Code>PermanentRedirect</Code></Error>");
    });
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const storage = runs({ endpoint: server.url, credentials })();
    for (let i = 0; i < 2; i++) expect(textOf(await storage.get("s3://bucket/a"))).toBe("ok");
    expect(seen).toEqual(["us-east-1", "eu-north-1", "eu-north-1"]);
  });

  test("redirects are not followed: requests carry a signature", async () => {
    let others = 0;
    await using other = await serve((_asked, response) => {
      others++;
      response.end("other");
    });
    await using server = await serve((_asked, response) => {
      response.writeHead(307, { location: other.url }).end();
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    await expect(storage.get("s3://bucket/a")).rejects.toEqual(failure("network"));
    expect(others).toBe(0);
  });

  test("what the service says of the host's keys is not handed on", async () => {
    await using server = await serve((_asked, response) => {
      response
        .writeHead(403)
        .end(
          "<Error><Code>Sneaky KEY</Code><Message>AKIASECRET</Message><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>",
        );
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    await expect(storage.get("s3://bucket/a")).rejects.toThrow(
      /^Cannot read s3:\/\/bucket\/a: S3 refuses it to the host \(status 403\)$/,
    );
  });

  test("an answer that breaks off, or never comes, is a failure of the network", async () => {
    await using server = await serve((asked, response) => {
      if (asked.url?.endsWith("none")) asked.socket.destroy();
      else {
        response.writeHead(200, { "content-length": 100 });
        response.write("half", () => asked.socket.destroy());
      }
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    await expect(storage.get("s3://bucket/half")).rejects.toEqual(failure("network"));
    await expect(storage.get("s3://bucket/none")).rejects.toEqual(failure("network"));
  });

  test("what the service adds to a range is not taken", async () => {
    await using server = await serve((_asked, response) => {
      response.writeHead(206).end("more than asked for");
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    await expect(storage.get("s3://bucket/a", { offset: 0, length: 4 })).rejects.toEqual(failure("full"));
  });

  test("a run that has ended asks for nothing more", async () => {
    let requests = 0;
    await using server = await serve(() => {
      requests++;
    });
    const storage = runs({ endpoint: server.url, credentials: null })();
    const waiting = storage.get("s3://bucket/a");
    await expect.poll(() => requests).toBe(1);
    storage.end();
    await expect(waiting).rejects.toEqual(failure("network"));
    expect(requests).toBe(1);
  });

  test.each(["ftp://host", "http://host/path", "http://user@host", "nothing"])(
    "an endpoint %s is none",
    (endpoint) => {
      expect(() => s3Driver({ send, credentials: null, endpoint })).toThrow(/endpoint/);
    },
  );
});
