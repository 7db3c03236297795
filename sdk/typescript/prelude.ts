/** The guest script's entry: the runtime's guest side and the module `fuselet/udf`, whose exports these are. */
import { boot } from "../../runtime/engines/quickjs/prelude/boot.ts";
import { coerceParameters } from "./coerce.ts";

boot({ coerce: coerceParameters });

export * from "./udf.ts";
