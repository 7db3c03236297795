/** Names in a UDF's code. */

/** Of a function, in Python or TypeScript. */
export const FUNCTION_NAME = /^[\p{L}_$][\p{L}\p{N}_$]{0,199}$/u;

/** Of a module of Python: `a.b`. */
export const MODULE_NAME = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u;
