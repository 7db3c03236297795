import { udf } from "fuselet/udf";

export default udf({}, async ({ server }: { server: string }) => {
  const signal = AbortSignal.timeout(1500);
  const open = () => fetch(`http://${server}/slow-body`, { signal });
  const answers = await Promise.allSettled(Array.from({ length: 120 }, open));
  // In plain Node an answer that nobody holds is closed.
  const held = answers.filter(({ status }) => status === "fulfilled");
  return held.length > 100 ? ["100 at once"] : [];
});
