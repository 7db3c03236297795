import { download, udf } from "fuselet/udf";

/** Of `hello`. */
const CHECKSUM = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

export default udf({}, async ({ server }: { server: string }) => {
  const file = await download(`http://${server}/file`, "tampered", { checksum: CHECKSUM });
  return (await file.text()) === "hello" ? [] : ["other bytes"];
});
