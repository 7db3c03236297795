/** Calls the loans where the stack is about to end: the error is thrown inside of them, by their own realm. */
export default ({ platform, foreign }) => {
  const reached = new Set();
  const bytes = new Uint8Array(8);
  const loans = {
    now: () => performance.now(),
    random: () => crypto.getRandomValues(bytes),
    decode: () => new TextDecoder().decode(bytes),
    encode: () => new TextEncoder().encode("text"),
    timer: () => clearTimeout(setTimeout(() => {}, 1)),
    asset: () => platform.bytes("bytes"),
    library: () => platform.library("none"),
    clock: () => platform.now(),
    noise: () => platform.random(bytes),
  };
  for (const [name, loan] of Object.entries(loans)) {
    const deep = () => {
      try {
        loan();
      } catch (error) {
        if (foreign(error)) reached.add(name);
      }
      deep();
    };
    try {
      deep();
    } catch (error) {
      if (foreign(error)) reached.add(`${name}: deep`);
    }
  }
  return [...reached];
};
