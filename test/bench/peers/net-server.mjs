/** A server of a small body, in a process of its own so that it takes no time from its clients. Sends its port to its parent. */
import { createServer } from "node:http";

const body = JSON.stringify({ type: "FeatureCollection", features: [], name: "x".repeat(200) });
const server = createServer((_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("disconnect", () => process.exit());
