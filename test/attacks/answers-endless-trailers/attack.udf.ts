import { udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const paths = ["endless-extension", "endless-trailers"];
  const read = (path: string) => fetch(`http://${server}/${path}`).then((answer) => answer.text());
  await Promise.all(paths.map((path) => read(path).catch(() => "")));
  return ["an end"];
});
