/** The output of a run: two streams of bytes that become text, without what must not be shown. */
import { RedactedOutput, type Redaction } from "./redact.ts";
import type { RunOptions } from "./run-options.ts";

/** Collects output as text, streaming it on, and stops at the limit even if the guest does not. */
export function collectOutput(
  logBytes: number,
  onOutput: RunOptions["onOutput"],
  redaction: () => Redaction | undefined,
) {
  const open = () => ({ decoder: undefined, text: "", redacted: new RedactedOutput(redaction) });
  const streams: Record<
    "stdout" | "stderr",
    { decoder: TextDecoder | undefined; text: string; redacted: RedactedOutput }
  > = { stdout: open(), stderr: open() };
  // The guest marks where it cut off; the mark itself is beyond the limit.
  let left = logBytes + 256;
  const add = (stream: "stdout" | "stderr", text: string) => {
    streams[stream].text += text;
    if (text !== "") onOutput?.(stream, text);
  };
  return {
    output(stream: "stdout" | "stderr", bytes: Uint8Array): void {
      if (left <= 0) return;
      left -= bytes.length;
      const { redacted } = streams[stream];
      streams[stream].decoder ??= new TextDecoder();
      for (const part of redacted.push(bytes))
        add(stream, streams[stream].decoder.decode(part, { stream: true }));
    },
    finish() {
      // Half a character may have come last.
      for (const stream of ["stdout", "stderr"] as const) {
        const { decoder, redacted } = streams[stream];
        for (const part of redacted.end()) add(stream, decoder?.decode(part, { stream: true }) ?? "");
        add(stream, decoder?.decode() ?? "");
      }
      return { stdout: streams.stdout.text, stderr: streams.stderr.text };
    },
  };
}
