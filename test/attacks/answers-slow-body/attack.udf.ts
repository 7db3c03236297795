import { udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const answer = await fetch(`http://${server}/slow-body`);
  return answer.text();
});
