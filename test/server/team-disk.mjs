/** The team's disk as UDFs have it: a folder of their own system, where they may read and write. */
import assert from "node:assert/strict";
import { startServer, TOKEN } from "../setup/serve.mjs";

/** Runs the body of a Python UDF. @returns its value @throws Error with what it raised */
async function run(server, body, { token = TOKEN, parameters = {} } = {}) {
  const names = ["", ...Object.keys(parameters).map((name) => `${name}=None`)].join(", ").slice(2);
  const lines = body.trim().split("\n");
  const code = `import fused, glob, os, shutil\n\n@fused.udf\ndef udf(${names}):\n${lines.map((line) => `    ${line}\n`).join("")}`;
  const udf = { name: "disk", code, entrypoint: "udf", headers: [], metadata: {}, parameters };
  const answer = await server.ask(
    "POST",
    "realtime/fuselet/api/v1/run/udf",
    { step_config: JSON.stringify({ type: "udf", udf }), format: "json" },
    { token },
  );
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(text);
  return JSON.parse(text);
}

/** What Python can do in a folder. */
const USES = `
def write(path, text, mode="w"):
    with open(path, mode) as file:
        file.write(text)

def read(path):
    with open(path) as file:
        return file.read()

assert os.path.isdir("/mount") and "mount" in os.listdir("/")
before = set(os.listdir("/mount"))
os.makedirs("/mount/uses/deep", exist_ok=True)
os.makedirs("/mount/uses/deep", exist_ok=True)
assert os.listdir("/mount/uses") == ["deep"]
write("/mount/uses/deep/a.txt", "hello")
assert read("/mount/uses/deep/a.txt") == "hello" and fused.api.get("/mount/uses/deep/a.txt") == b"hello"
write("/mount/uses/deep/a.txt", ", you", "a")
assert os.stat("/mount/uses/deep/a.txt").st_size == 10
with open("/mount/uses/deep/a.txt", "r+") as file:
    file.write("H")
    file.seek(0)
    assert file.read() == "Hello, you"
os.truncate("/mount/uses/deep/a.txt", 5)
os.replace("/mount/uses/deep/a.txt", "/mount/uses/b.txt")
assert read("/mount/uses/b.txt") == "Hello" and os.listdir("/mount/uses/deep") == []
assert shutil.move(shutil.copy("/mount/uses/b.txt", "/tmp/c.txt"), "/mount/uses/deep/c d+é.txt")
assert glob.glob("/mount/uses/**/*.txt", recursive=True) == ["/mount/uses/b.txt", "/mount/uses/deep/c d+é.txt"]
assert [(entry.name, entry.is_dir(), entry.stat().st_size) for entry in os.scandir("/mount/uses")] == [("b.txt", False, 5), ("deep", True, 4096)]
write("/mount/uses/empty", "")
assert os.path.getsize("/mount/uses/empty") == 0
with open("/mount/uses/synced", "w") as file:
    file.write("one")
    file.flush()
    os.fsync(file.fileno())
    assert fused.api.get("/mount/uses/synced") == b"one"
    file.write(", two")
assert read("/mount/uses/synced") == "one, two"
with open("/mount/uses/large", "wb") as file:
    for n in range(20):
        file.write(bytes([n]) * 1_000_000)
with open("/mount/uses/large", "rb") as file:
    file.seek(-1, 2)
    assert file.read() == b"\\x13" and file.tell() == 20_000_000
    file.seek(0)
    assert file.read() == b"".join(bytes([n]) * 1_000_000 for n in range(20))
failures = []
for fails in [
    lambda: open("/mount/uses/gone"),
    lambda: open("/mount/uses"),
    lambda: open("/mount/uses/new", "x").close() or open("/mount/uses/new", "x"),
    lambda: os.rmdir("/mount/uses"),
    lambda: os.remove("/mount/uses/gone"),
    lambda: os.symlink("/mount/uses/b.txt", "/mount/uses/link"),
    lambda: open("/mount/../../etc/passwd"),
]:
    try:
        fails()
        failures.append("none")
    except OSError as error:
        failures.append(type(error).__name__)
os.remove("/mount/uses/large")
shutil.rmtree("/mount/uses/deep")
assert set(os.listdir("/mount")) - before == {"uses"}
return [failures, sorted(os.listdir("/mount/uses"))]
`;

export const teamDiskCases = () => ({
  "a UDF has the team's disk as a folder: it is the team's, and nothing is there by halves": async () => {
    await using server = await startServer({ args: ["--allow-read=/mount", "--allow-write=/mount"] });
    const [failures, left] = await run(server, USES);
    assert.deepEqual(failures, [
      ...["FileNotFoundError", "IsADirectoryError", "FileExistsError", "OSError"],
      ...["FileNotFoundError", "PermissionError", "FileNotFoundError"],
    ]);
    assert.deepEqual(left, ["b.txt", "empty", "new", "synced"]);
    const get = (path) => server.ask("GET", `files/get?path=file:///mount/${path}`);
    assert.equal(await (await get("uses/b.txt")).text(), "Hello");

    const [mate, stranger] = [await server.addUser("mate", "default"), await server.addUser("far", "other")];
    assert.equal(await run(server, `return open("/mount/uses/b.txt").read()`, { token: mate }), "Hello");
    assert.deepEqual(await run(server, `return os.listdir("/mount")`, { token: stranger }), []);

    // What a run did not close, or was ended in, is not there.
    const writes = `file = open("/mount/half", "w")\nfile.write("x" * 1_000_000)\nfile.flush()`;
    await assert.rejects(run(server, `${writes}\nos._exit(1)`), /exit/i);
    assert.equal((await get("half")).status, 404);

    // It is there for whoever names it, and no longer than the run.
    const looks = `return [os.path.exists("/" + "mount"), path and os.path.exists(path)]`;
    const see = (path) => run(server, looks, { parameters: { path } });
    assert.deepEqual(await see("/mount/uses/b.txt"), [true, true]);
    assert.deepEqual(await see(null), [false, null]);
  },

  "a UDF does on the team's disk what it was granted": async () => {
    const args = [
      "--allow-read=/mount",
      "--deny-read=/mount/secret",
      "--allow-write=/mount/out,/mount/secret",
    ];
    await using server = await startServer({ args });
    for (const path of ["in/a.txt", "secret/b.txt"])
      assert.equal(
        (await server.ask("PUT", `files/upload?path=file:///mount/${path}`, "1", {})).status,
        200,
        path,
      );
    const tried = await run(
      server,
      `
found = []
os.makedirs("/mount/out", exist_ok=True)
open("/mount/out/b.txt", "w").close()
for does in [
    lambda: sorted(os.listdir("/mount")),
    lambda: open("/mount/in/a.txt").read(),
    lambda: open("/mount/in/a.txt", "w"),
    lambda: open("/mount/in/a.txt", "r+"),
    lambda: open("/mount/in/new.txt", "w"),
    lambda: os.listdir("/mount/in"),
    lambda: os.remove("/mount/in/a.txt"),
    lambda: os.replace("/mount/in/a.txt", "/mount/out/a.txt"),
    lambda: os.replace("/mount/out/b.txt", "/mount/in/b.txt"),
    lambda: open("/mount/secret/b.txt").read(),
    lambda: os.listdir("/mount/secret"),
    lambda: os.path.exists("/mount/secret/b.txt"),
    lambda: open("/mount/out/c.txt", "w").close() or os.listdir("/mount/out"),
]:
    try:
        value = does()
        found.append("written" if hasattr(value, "write") else value)
    except OSError as error:
        found.append(type(error).__name__)
return found`,
    );
    const denied = "PermissionError";
    assert.deepEqual(tried, [
      ...[["in", "out"], "1", denied, denied, denied, ["a.txt"], denied, denied, denied],
      ...[denied, denied, false, ["b.txt", "c.txt"]],
    ]);
    assert.equal(await (await server.ask("GET", "files/get?path=file:///mount/in/a.txt")).text(), "1");

    // Without a grant it is a folder in memory, as all others are.
    await using other = await startServer();
    const writes = `os.makedirs("/mount")\nopen("/mount/a", "w").close()\nreturn os.listdir("/mount")`;
    assert.deepEqual(await run(other, writes), ["a"]);
    assert.equal((await other.ask("GET", "files/get?path=file:///mount/a")).status, 404);
  },
});
