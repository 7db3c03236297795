/** The network, with the main realm's globals in hand. Before Node 26 its permission model leaves the network open. */
export default async ({ main, target }) => {
  const reached = [];
  const ways = {
    fetch: () => main.fetch(`http://127.0.0.1:${target.port}/`),
    websocket: () =>
      new Promise((resolve, reject) => {
        const socket = new main.WebSocket(`ws://127.0.0.1:${target.port}/`);
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error("refused"));
      }),
    require: () => main.require("node:net").connect(target.port, "127.0.0.1"),
    builtin: () => main.process.getBuiltinModule("net").connect(target.port, "127.0.0.1"),
    "dynamic import": async () => (await import("node:net")).connect(target.port, "127.0.0.1"),
    binding: () => new (main.process.binding("tcp_wrap").TCP)(0),
    dns: () => main.process.getBuiltinModule("dns").lookup("localhost", () => {}),
    datagram: () =>
      main.process.getBuiltinModule("dgram").createSocket("udp4").send("x", target.port, "127.0.0.1"),
    events: () => new main.EventSource(`http://127.0.0.1:${target.port}/`),
    channel: () => new main.BroadcastChannel("attack").postMessage("x"),
  };
  for (const [name, go] of Object.entries(ways)) {
    try {
      await go();
      reached.push(name);
    } catch {}
  }
  return reached;
};
