/** Error.prepareStackTrace sees the frames below, those of the main realm too. */
export default async ({ foreign, platform, host }) => {
  const reached = new Set();
  const look = (where) => (error, sites) => {
    if (foreign(sites)) reached.add(`${where}: list`);
    for (const site of sites) {
      if (foreign(site)) reached.add(`${where}: site`);
      for (const part of ["getThis", "getFunction", "getTypeName", "getEvalOrigin"]) {
        try {
          if (foreign(site[part]?.())) reached.add(`${where}: ${part}`);
        } catch {}
      }
    }
    reached.add("sites");
    return "";
  };
  try {
    Error.prepareStackTrace = look("here");
  } catch {
    return [...reached];
  }
  void new Error("here").stack;
  await new Promise((resolve) =>
    setTimeout(() => {
      void new Error("called by the main realm").stack;
      resolve();
    }, 1),
  );
  try {
    platform.port.post({
      kind: "event",
      id: 0,
      name: "output",
      get text() {
        return void new Error("in a getter").stack;
      },
      buffers: [],
    });
    host.output("stdout", new Uint8Array(0));
  } catch {
    return [...reached];
  }
  return [...reached];
};
