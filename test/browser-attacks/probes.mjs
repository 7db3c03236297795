/** What code in a worker can try without our leave. Each probe gives a text; what reaches `base` is seen by the server. */

const DEADLINE_MS = 1500;

/** Runs all probes. @param {string} base a server's `/hit/` folder @returns {Promise<Record<string, string>>} */
export async function probe(base) {
  const report = {};
  const attempt = async (name, action) => {
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve("nothing happened"), DEADLINE_MS);
    });
    try {
      report[name] = String(await Promise.race([action(), late]));
    } catch (error) {
      report[name] = `refused: ${error?.name}`;
    }
    clearTimeout(timer);
  };
  const event = (target, good, bad) =>
    new Promise((resolve, reject) => {
      target[good] = () => resolve(good);
      target[bad] = () => reject(new Error(bad));
    });
  const blob = (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));

  const { eval: evaluate } = globalThis;
  await attempt("eval", () => evaluate("1 + 1"));
  await attempt("Function", () => Function("return 1")());
  await attempt("fetch", () => fetch(`${base}fetch`, { mode: "no-cors" }));
  await attempt("XMLHttpRequest", () => {
    const request = new XMLHttpRequest();
    request.open("GET", `${base}xhr`, false);
    request.send();
    return request.status;
  });
  await attempt("importScripts", () => importScripts(`${base}importScripts.js`));
  await attempt("importScripts of a blob", () => importScripts(blob("self.ran = 1")));
  await attempt("import()", () => import(`${base}import.js`));
  await attempt("import() of a blob", () => import(blob("export const a = 1")));
  await attempt("WebSocket", () =>
    event(new WebSocket(`${base.replace("http", "ws")}websocket`), "onopen", "onerror"),
  );
  await attempt("EventSource", () => event(new EventSource(`${base}events`), "onopen", "onerror"));
  await attempt("WebTransport", () => new WebTransport(`${base.replace("http:", "https:")}transport`).ready);
  await attempt("FontFace", () => new FontFace("x", `url(${base}font)`).load());
  await attempt("a worker", () => event(new Worker(`${base}worker.js`), "onmessage", "onerror"));
  await attempt("a nested worker that fetches", () =>
    event(
      new Worker(blob(`fetch("${base}nested",{mode:"no-cors"}).then(()=>postMessage(1))`)),
      "onmessage",
      "onerror",
    ),
  );
  await attempt("indexedDB", () => indexedDB.open("x") && "opened");
  await attempt("caches", () => caches.open("x"));
  await attempt("private files", () => navigator.storage.getDirectory());
  await attempt("BroadcastChannel", () => new BroadcastChannel("x") && "opened");
  await attempt("RTCPeerConnection", () => new RTCPeerConnection() && "opened");
  return report;
}
