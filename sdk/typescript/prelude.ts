/** The guest script's entry: the runtime's guest side and the module `fuselet/udf`, whose exports these are. */
import { boot, callHost } from "../../runtime/engines/quickjs/prelude/boot.ts";
import { coerceParameters } from "./coerce.ts";
import { door } from "./door.ts";

boot({ coerce: coerceParameters });

door.call = (name, ...args) => {
  const dot = name.indexOf(".");
  return callHost(name.slice(0, dot), name.slice(dot + 1), args);
};

export * from "./udf.ts";
