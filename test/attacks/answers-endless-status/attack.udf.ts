import { udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const answer = await fetch(`http://${server}/endless-status`);
  return answer.text();
});
