/** The guest script's entry: the runtime's guest side and the module `fuselet/udf`, whose exports these are. */
import { boot, callHost } from "../../runtime/engines/quickjs/prelude/boot.ts";
import { coerceParameters } from "./coerce.ts";
import type { UdfHost } from "./udf.ts";

boot({ coerce: coerceParameters });

export * from "./udf.ts";

/** Inside an isolate `host` is real; it takes the place of the one in udf.ts, which only says so. */
export const host: UdfHost = {
  call(name, ...args) {
    const dot = name.indexOf(".");
    return callHost(name.slice(0, dot), name.slice(dot + 1), args);
  },
};
