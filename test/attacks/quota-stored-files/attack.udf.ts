import { host, udf } from "fuselet/udf";

const MOST_BYTES = 1_000_000;
const MOST_OBJECTS = 60;

const put = (name: string, size: number) =>
  host.call("storage.put", `fd://${name}`, new Uint8Array(size)).then(
    () => 1,
    (error) => {
      if (!/one principal may hold/.test(error.message)) throw error;
      return 0;
    },
  );
const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

export default udf({}, async () => {
  const reached: string[] = [];
  // Half a file that nobody ends, and what is written over, must not make room for more.
  for (let i = 0; i < 5; i++) {
    const upload = await host.call("storage.openWrite", `fd://part-${i}`).catch(() => null);
    if (upload !== null)
      await host.call("storage.writePart", upload, new Uint8Array(100_000)).catch(() => null);
  }
  for (let i = 0; i < 20; i++) await put("again", 100_000);
  const large = await Promise.all(Array.from({ length: 40 }, (_, i) => put(`large-${i}`, 50_000)));
  if (sum(large) * 50_000 > MOST_BYTES) reached.push("too many bytes");
  await Promise.all(Array.from({ length: 40 }, (_, i) => host.call("storage.delete", `fd://large-${i}`)));
  const small = await Promise.all(Array.from({ length: 100 }, (_, i) => put(`deep-${i}/small`, 1)));
  if (sum(small) * 2 > MOST_OBJECTS) reached.push("too many files");
  const { entries } = (await host.call("storage.list", "fd://", { recursive: true })) as {
    entries: { size?: number }[];
  };
  if (entries.length > MOST_OBJECTS) reached.push("too many files in the list");
  if (sum(entries.map(({ size }) => size ?? 0)) > MOST_BYTES) reached.push("too many bytes in the list");
  return [...new Set(reached.map((text) => text.replace(" in the list", "")))];
});
