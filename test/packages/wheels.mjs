/** Real wheels of requests and what it needs, without code for a platform, from PyPI: downloaded once. */
import { join } from "node:path";
import { cacheFolder, makeOnce } from "../setup/folder.mjs";
import { downloadWheels } from "../setup/pip.mjs";

/** Pinned, so that a test that fails today failed yesterday. */
const REQUIREMENTS = [
  "requests==2.32.5",
  "certifi==2026.10.19.post1",
  "charset-normalizer==3.5.3",
  "idna==3.20",
  "urllib3==2.8.0",
];

/** @returns the folder */
export function requestsWheels() {
  return makeOnce(join(cacheFolder(), "wheels-requests-2.32.5"), (part) => {
    downloadWheels(REQUIREMENTS, part, [
      "--only-binary=:all:",
      "--platform=any",
      "--python-version=3.12",
      "--implementation=py",
      "--abi=none",
    ]);
  });
}
