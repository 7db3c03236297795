/** An S3 that checks signatures: moto, with a user whose keys may do all there. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { sha256 } from "../../host/cache/blobs.ts";
import { type AwsCredentials, awsSigner, signHeaders } from "../../host/storage/signature.ts";
import { moto } from "../setup/moto.mjs";

export interface MotoServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** Of its python, which has botocore. */
  python: string;
  credentials: AwsCredentials;
  /** Signatures in URLs it cannot check: these are answered only while it checks none. Default: it does. */
  checkSignatures(isChecking: boolean): Promise<void>;
  /** Asks it for something with the keys; moto's own signer must come to the same signature. */
  request(method: string, path: string): Promise<Response>;
}

/** @throws Error where moto cannot be installed or started */
export async function startMoto(): Promise<MotoServer> {
  const python: string = await moto();
  const child = spawn(python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const url = await addressOf(child);
  const iam = async (fields: Record<string, string>) => {
    const answer = await fetch(url, {
      method: "POST",
      // Only says which service is meant.
      headers: { authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request" },
      body: new URLSearchParams({ Version: "2010-05-08", UserName: "tester", ...fields }),
    });
    return answer.text();
  };
  await iam({ Action: "CreateUser" });
  const statement = { Effect: "Allow", Action: "s3:*", Resource: "*" };
  await iam({
    Action: "PutUserPolicy",
    PolicyName: "all",
    PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statement }),
  });
  const keys = await iam({ Action: "CreateAccessKey" });
  const read = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(keys)?.[1] ?? "";
  const credentials = { accessKeyId: read("AccessKeyId"), secretAccessKey: read("SecretAccessKey") };
  const checkSignatures = async (isChecking: boolean) => {
    await fetch(`${url}/moto-api/reset-auth`, { method: "POST", body: isChecking ? "0" : "inf" });
  };
  await checkSignatures(true);
  return {
    url,
    python,
    credentials,
    checkSignatures,
    async request(method, path) {
      const request = { method, path, query: [], headers: { host: new URL(url).host } };
      const signer = awsSigner(credentials, "us-east-1");
      const { host: _, ...headers } = await signHeaders(request, signer, await sha256(""), new Date());
      return fetch(url + path, { method, headers });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** What it says on its standard error once it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    child.stderr?.on("data", (bytes) => {
      text = `${text}${bytes}`.slice(-10_000);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text);
      if (found) resolve(found[1] as string);
    });
    child.on("exit", () => reject(new Error(`moto ended: ${text}`)));
  });
}
