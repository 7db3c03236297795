import { udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const answer = await fetch(`http://${server}/gzip-bomb`);
  return (await answer.arrayBuffer()).byteLength;
});
