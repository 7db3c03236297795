import { download, udf } from "fuselet/udf";

const EXPECTED: Record<string, string> = { server: "hello", other: "other" };

export default udf({}, async (parameters: { who: string; server: string; other: string }) => {
  const { who, server, other } = parameters;
  const url = `http://${who === "server" ? server : other}/file`;
  const text = await (await download(url, "same/path")).text();
  return text === EXPECTED[who] ? [] : [`${text} instead of ${EXPECTED[who]}`];
});
