import { udf } from "fuselet/udf";

const marks = ((globalThis as { marks?: Set<string> }).marks ??= new Set());
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export default udf({}, async () => {
  // All of these would act now.
  await wait(60);
  const reached = [...marks];

  setTimeout(() => marks.add("timer"), 20);
  setInterval(() => marks.add("interval"), 5);
  void wait(20).then(() => marks.add("promise"));
  void (async () => {
    for (let i = 0; i < 5; i++) await wait(2);
    marks.add("chain");
  })();
  const registry = new FinalizationRegistry<string>((name) => marks.add(name));
  for (let i = 0; i < 1000; i++) registry.register({ i }, "finalizer");
  void wait(25)
    .then(() => Promise.reject(new Error("nobody handles this")))
    .catch(() => marks.add("rejection"));
  return reached;
});
