/** What an attack must not touch: a file, a folder, a port, and the process that runs the suite. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SIGNALS = ["SIGUSR2", "SIGHUP", "SIGWINCH"];

export class Canaries {
  secret = randomBytes(16).toString("hex");
  connections = 0;
  signals = 0;
  #folder = mkdtempSync(join(tmpdir(), "fuselet-attack-"));
  #server = createServer((socket) => {
    this.connections++;
    socket.on("error", () => {}).resume();
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ncanary");
  });
  #count = () => {
    this.signals++;
  };

  static async open() {
    const canaries = new Canaries();
    writeFileSync(canaries.file, canaries.secret);
    await new Promise((resolve) => canaries.#server.listen(0, "127.0.0.1", resolve));
    for (const signal of SIGNALS) process.on(signal, canaries.#count);
    return canaries;
  }

  get file() {
    return join(this.#folder, "canary");
  }

  /** What an attack is told: as if it had spied out its target already. */
  get target() {
    return {
      canary: this.file,
      folder: this.#folder,
      port: this.#server.address().port,
      pid: process.pid,
    };
  }

  /** The same for a control: the group of processes that it is in takes the place of the host. */
  get decoy() {
    return { ...this.target, pid: 0 };
  }

  /**
   * What is wrong now, if anything; forgets it.
   * @param {string} said everything that came out of the attack
   */
  check(said) {
    const wrong = [];
    if (said.includes(this.secret)) wrong.push("the canary file was read");
    const files = readdirSync(this.#folder);
    for (const file of files) {
      if (file === "canary") continue;
      wrong.push(`the file ${file} was written`);
      rmSync(join(this.#folder, file), { recursive: true, force: true });
    }
    if (!files.includes("canary") || readFileSync(this.file, "utf8") !== this.secret) {
      wrong.push("the canary file was changed");
      writeFileSync(this.file, this.secret);
    }
    if (this.connections > 0) wrong.push(`${this.connections} connections were made`);
    if (this.signals > 0) wrong.push(`${this.signals} signals came`);
    this.connections = 0;
    this.signals = 0;
    return wrong;
  }

  close() {
    for (const signal of SIGNALS) process.off(signal, this.#count);
    rmSync(this.#folder, { recursive: true, force: true });
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
