import { download, udf } from "fuselet/udf";

const up = "../".repeat(12);
const paths = (canary: string) => ({
  dots: `${up}${canary.slice(1).replace(/canary$/, "planted")}`,
  "dots inside": `a/../${up}${canary.slice(1).replace(/canary$/, "planted")}`,
  "absolute dots": `/${up}${canary.slice(1).replace(/canary$/, "planted")}`,
  absolute: canary,
  "over the canary": `a/../${up}${canary.slice(1)}`,
  backslashes: `..\\..\\..\\planted`,
  "a drive": "C:/planted",
  "a drive without a slash": "c:planted",
  "a share": "\\\\127.0.0.1\\planted",
  empty: "",
  "an empty part": "a//b",
  "one dot": "./a",
  NUL: "a\u0000b",
  "a line break": "a\nb",
  "turned around": "a\u202eb",
  "very long": "a/".repeat(3000) + "b",
});

export default udf({}, async ({ server, canary }: { server: string; canary: string }) => {
  const reached: string[] = [];
  for (const [name, path] of Object.entries(paths(canary))) {
    const file = await download(`http://${server}/hello`, path).catch(() => null);
    if (file) reached.push(name);
  }
  return reached;
});
