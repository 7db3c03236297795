/** Makes each loan throw, by bad arguments, and looks at where the error comes from. */
export default ({ platform, host, foreign }) => {
  const reached = [];
  const attempt = (name, call) => {
    try {
      call();
    } catch (error) {
      if (foreign(error)) reached.push(name);
    }
  };
  const evil = {
    get length() {
      throw new RangeError("mine");
    },
    toString() {
      throw new RangeError("mine");
    },
  };
  attempt("random", () => platform.random({ length: -1 }));
  attempt("random of nothing", () => platform.random(null));
  attempt("random values", () => crypto.getRandomValues({ buffer: {}, byteOffset: 0, byteLength: -1 }));
  attempt("decode", () => new TextDecoder("no such encoding").decode(new Uint8Array(4)));
  attempt("decode symbol", () => new TextDecoder(Symbol.iterator).decode(new Uint8Array(4)));
  attempt("encode", () => new TextEncoder().encode(evil));
  attempt("library", () => platform.library(Symbol.iterator));
  attempt("library name", () => platform.library("constructor"));
  attempt("library object", () => platform.library(evil));
  attempt("asset", () => platform.bytes(evil));
  attempt("timer", () => setTimeout(null, Symbol.iterator));
  attempt("timer that never", () => setTimeout(() => {}, 1n));
  attempt("clear", () => clearTimeout(Symbol.iterator));
  attempt("renew", () => platform.renew(evil, evil));
  attempt("output", () => host.output("stdout", evil));
  return reached;
};
