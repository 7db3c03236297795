/** The bare realm's globals and their members, and what is lent to an engine. */
export default ({ platform, host }) => {
  const owners = { globalThis, platform, host, port: platform.port ?? {} };
  for (const name of Reflect.ownKeys(globalThis)) {
    const value = Reflect.get(globalThis, name);
    if (value === globalThis || value === null || !/^(object|function)$/.test(typeof value)) continue;
    owners[String(name)] = value;
    if (typeof value.prototype === "object") owners[`${String(name)}.prototype`] = value.prototype;
  }
  const said = Object.entries(owners).map(([name, value]) => [
    name,
    Reflect.ownKeys(value)
      .map((key) => String(key).replaceAll(" ", "_"))
      .sort()
      .join(" "),
  ]);
  return Object.fromEntries(said.filter(([, names]) => names !== ""));
};
