/** Code from strings, by every constructor. */
export default () => {
  const reached = [];
  const kinds = {
    Function: (() => {}).constructor,
    GeneratorFunction: function* () {}.constructor,
    AsyncFunction: (async () => {}).constructor,
    AsyncGeneratorFunction: async function* () {}.constructor,
    ShadowRealm: globalThis.ShadowRealm,
  };
  for (const [name, kind] of Object.entries(kinds)) {
    try {
      if (new kind("return 1")) reached.push(name);
    } catch {}
  }
  try {
    if ((0, eval)("1") === 1) reached.push("eval");
  } catch {
    reached.push();
  }
  return reached;
};
