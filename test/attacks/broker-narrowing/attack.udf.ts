import { host, udf } from "fuselet/udf";

export default udf({}, async (parameters: { port: number; granted: string; canary: string }) => {
  const { port, granted, canary } = parameters;
  const request = (url: string) => ({
    url,
    method: "GET",
    headers: [],
    body: null,
    redirect: "follow",
    timeoutMs: 200,
  });
  const calls = {
    port: () => host.call("net.fetch", request(`http://127.0.0.1:${port}/`)),
    localhost: () => host.call("net.fetch", request(`http://localhost:${port}/`)),
    denied: () =>
      host.call("net.fetch", request("http://10.1.0.1:9/")).catch((error) => {
        if (error.name === "PermissionDeniedError") throw error;
      }),
    beside: () => host.call("storage.get", `${granted}/inside`),
    above: () => host.call("storage.list", `${granted}/`),
    elsewhere: () => host.call("storage.get", canary),
    write: () => host.call("storage.put", `${granted}/below/planted`, new Uint8Array(1)),
    cache: () =>
      host
        .call("cache.begin", {
          key: "0".repeat(64),
          name: "",
          folder: "tmp",
          storage: "auto",
          maxAgeMs: 1000,
          reset: false,
          lockTimeoutMs: 0,
        })
        .then((found) => (found as { state: string }).state === "off" && Promise.reject()),
  };
  const reached: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    await call().then(
      () => reached.push(name),
      () => {},
    );
  }
  return reached;
});
