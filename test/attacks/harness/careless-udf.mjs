/** `fuselet/udf` for controls: a host in the same process, which looks at what it was handed, and then uses it. */
export const udf = (_options, fn) => fn;

export const host = {
  async call(_name, request) {
    if (!String(request.url).startsWith(`http://${globalThis.parameters.server}/`)) throw new Error("denied");
    await null;
    const answer = await fetch(String(request.url), { method: String(request.method) });
    return { body: await answer.bytes(), handle: null };
  },
};
