/** Storage, as the environment of a command says it: what one may hold on this machine, and beyond it the variables of the AWS and Google command lines. */
import { readFileSync } from "node:fs";
import { UsageError } from "../../runtime/errors.ts";
import type { NodeRuntimeOptions } from "../typescript/index.node.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Keys of the user's own. They open what `--allow-read` and `--allow-write` grant and nothing else, and no UDF sees them.
 * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION or AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3 or
 * AWS_ENDPOINT_URL; GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's key file. What may be held in `fd://`:
 * FUSELET_STORAGE_BYTES, FUSELET_STORAGE_OBJECTS.
 * @throws UsageError where only one half of a key is there, the key file cannot be read, or a number is none
 */
export function storageFrom(env: Terminal["env"]): NonNullable<NodeRuntimeOptions["storage"]> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (Boolean(accessKeyId) !== Boolean(secretAccessKey)) {
    const missing = accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
    throw new UsageError(`Cannot use the key for S3: ${missing} is not set, and the other half is`);
  }
  const sessionToken = env.AWS_SESSION_TOKEN;
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const keyFile = env.GOOGLE_APPLICATION_CREDENTIALS;
  const bytes = readNumber(env, "FUSELET_STORAGE_BYTES");
  const objects = readNumber(env, "FUSELET_STORAGE_OBJECTS");
  return {
    ...(bytes !== undefined || objects !== undefined
      ? {
          quota: { ...(bytes === undefined ? {} : { bytes }), ...(objects === undefined ? {} : { objects }) },
        }
      : {}),
    s3: {
      credentials:
        accessKeyId && secretAccessKey
          ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
          : null,
      ...(region ? { region } : {}),
      ...(endpoint ? { endpoint } : {}),
    },
    ...(keyFile ? { enableGcs: true, gcsKey: readKey(keyFile) } : {}),
  };
}

function readNumber(env: Terminal["env"], name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(
    `Cannot use ${name}: it must be a whole number from 0: received ${JSON.stringify(text)}`,
  );
}

function readKey(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(
      `Cannot read the key file ${JSON.stringify(path)} that GOOGLE_APPLICATION_CREDENTIALS names: ${(cause as Error).message}`,
      { cause },
    );
  }
}
