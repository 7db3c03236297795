import { host, udf } from "fuselet/udf";

export default udf({}, async ({ granted }: { granted: string }) => {
  const reached = new Set<string>();
  for (let i = 0; i < 125; i++) {
    const calls = Array.from({ length: 8 }, (_, k) =>
      k % 2
        ? host.call("storage.get", `${granted}/swapped`)
        : host.call("storage.get", `${granted}/swapped-folder/canary`),
    );
    for (const { value } of (await Promise.allSettled(calls)) as { value?: Uint8Array }[]) {
      // The files that are there by right say so.
      if (value && new TextDecoder().decode(value) !== "inside") reached.add("get");
    }
    const opened = await host.call("storage.open", `${granted}/swapped`).catch(() => null);
    if (opened) {
      const { file, size } = opened as { file: number; size: number };
      const bytes = (await host.call("files.read", file, 0, size)) as Uint8Array;
      if (new TextDecoder().decode(bytes) !== "inside") reached.add("open");
    }
  }
  return [...reached];
});
