import { udf } from "fuselet/udf";

export default udf({}, () => {
  const bomb = (): never => {
    throw new Error("read");
  };
  const error: object = new Proxy(new Error("bomb"), {
    get: (_target, key) => (key === "cause" ? error : bomb()),
    getPrototypeOf: bomb,
    getOwnPropertyDescriptor: bomb,
    ownKeys: bomb,
    has: bomb,
  });
  throw error;
});
