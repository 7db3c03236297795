/**
 * All that ever runs in the document of the sandboxed frame. It starts and ends the worker, compiles and keeps its assets, and
 * passes frames on. Guest code must never run here: a document has doors that its Content-Security-Policy does not close (WebRTC).
 * Every step is short: outside of Chromium this is the page's own thread.
 */
import { encodeFrameHead, type Frame } from "../channel.ts";
import { type FromRelay, ROOM, type ToRelay, type WorkerStart } from "./relay.browser.ts";
import { makeRing, RingWriter } from "./ring.ts";

/** Serves the page at the other end of `page`. */
function serve(page: MessagePort): void {
  const bytes: Record<string, ArrayBuffer> = Object.create(null);
  const modules: Record<string, WebAssembly.Module> = Object.create(null);
  const sharedMemory = typeof SharedArrayBuffer === "function";
  let script = "";
  let worker: Worker | undefined;
  let ring: RingWriter | undefined;
  /** What has been asked for is done in order. */
  let ready: Promise<void> = Promise.resolve();

  const tell = (message: FromRelay) => page.postMessage(message);
  const fail = (error: unknown) =>
    tell({ did: "fail", message: String(error instanceof Error ? error.message : error) });

  function spawn(id: number, text: string, port: MessagePort): void {
    worker?.terminate();
    const next = new Worker(script, { name: "isolate" });
    worker = next;
    const memory = sharedMemory ? makeRing() : undefined;
    const writer = memory ? new RingWriter(memory) : undefined;
    ring = writer;
    next.onerror = (event) => {
      event.preventDefault();
      if (next === worker) fail(event.message ?? "its worker did not start");
    };
    next.onmessage = ({ data }) => {
      if (data === ROOM) writer?.flush();
    };
    const start: WorkerStart = { id, text, port, ring: memory, bytes, modules };
    next.postMessage(start, [port]);
  }

  function pass(frame: Frame): void {
    if (ring) {
      ring.push(encodeFrameHead(frame));
      for (const buffer of frame.buffers) ring.push(buffer);
      worker?.postMessage(null);
    } else {
      const memory = new Set(frame.buffers.map((buffer) => buffer.buffer as ArrayBuffer));
      worker?.postMessage(frame, [...memory]);
    }
  }

  /** Assets are read and compiled side by side; what comes after them waits for all. */
  async function take({ do: kind, name, bytes: source }: Extract<ToRelay, { bytes: Blob }>): Promise<void> {
    const content = await source.arrayBuffer();
    if (kind === "module") modules[name] = await WebAssembly.compile(content);
    else bytes[name] = content;
  }

  function act(message: Exclude<ToRelay, { bytes: Blob }>, port: MessagePort | undefined): void {
    switch (message.do) {
      case "script":
        script = URL.createObjectURL(new Blob([message.text], { type: "text/javascript" }));
        break;
      case "spawn":
        spawn(message.id, message.text, port as MessagePort);
        break;
      case "frame":
        pass(message.frame);
        break;
    }
  }

  page.onmessage = ({ data, ports }: MessageEvent<ToRelay>) => {
    if (data.do === "ping") return tell({ did: "ping" });
    if (data.do === "kill") {
      worker?.terminate();
      ready = new Promise(() => {});
      return tell({ did: "kill" });
    }
    const taken = "bytes" in data ? take(data) : undefined;
    taken?.catch(() => {});
    ready = ready.then(() => ("bytes" in data ? taken : act(data, ports[0]))).catch(fail);
  };
  page.onmessageerror = () => fail("a message could not be read");
  tell({ did: "open", sharedMemory });
}

addEventListener("message", function open(event: MessageEvent): void {
  const port = event.ports[0];
  if (event.source !== parent || !port) return;
  removeEventListener("message", open);
  serve(port);
});
