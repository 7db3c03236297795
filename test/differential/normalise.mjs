/**
 * What is not compared, and why. Each rule is used on the outcomes of both sides.
 */

const RULES = [
  // Emscripten numbers its errors otherwise than Linux.
  [/\[Errno 44\] No such file/g, "[Errno 2] No such file"],
  // Python 3.12 adds this, and 3.11 does not.
  [/\. Did you forget to import '\w+'\??/g, ""],
  // Where the client is installed, and that its frames are in tracebacks: a user's traceback has the user's frames only.
  [/ {2}File "[^"\n]*\/site-packages\/fused\/[^\n]*\n(?: {4}[^\n]*\n)*/g, ""],
  // It converts parameters with the standard library, and its tracebacks show that, too.
  [/ {2}File "[^"\n]*\/lib\/python3[^"\n]*\/(?:json\/\w+|uuid)\.py"[^\n]*\n(?: {4}[^\n]*\n)*/g, ""],
  [/^json\.decoder\.(?=JSONDecodeError)/gm, ""],
  // Where other libraries are installed.
  [/(File ")[^"\n]*\/site-packages\//g, "$1"],
  // Ours is a traceback as Python writes it: with its first line, with what it was caused by, and with the class's module.
  [
    /Traceback \(most recent call last\):\n(?:(?: {2}[^\n]*\n)+[^\n]+\n)+?\n(?:The above|During)[^\n]*\n\n/g,
    "",
  ],
  [/Traceback \(most recent call last\):\n/g, ""],
  [/^(?:__udf__|fused(?:\.\w+)*)\.((?:\w+\.<locals>\.)*\w+(?:: |$))/gm, "$1"],
  // Of a decorated function ours names the file and the line there, the client the line in the function's own text; a UDF that was
  // loaded has `<loaded udf NAME>`, so that two of one name are told apart in linecache.
  [/File "(?:FOLDER\/program\.py|<(?:loaded )?udf \w+>)", line \d+, in/g, "File UDF in"],
  // How long ago something was cached is not the same.
  [/(returned cached result: )[^\n]* old/g, "$1AGE old"],
  // What a pool says while it is waited for depends on when which run ended; the client keeps each run's result under this name, and
  // its progress bar is of tqdm, which is not in the isolate.
  [
    /^(?:\[[^\]\n]*\] Run #\d+ [^\n]*|'run_map_cached' returned [^\n]*|(?:\d+ \w+(?:, )?)+|End of tail)\n/gm,
    "",
  ],
  [/\r[^\r\n]*\d+\/\d+ \|[^\r\n]*\n?/g, ""],
];

const texts = (text) => RULES.reduce((made, [pattern, instead]) => made.replace(pattern, instead), text);

/** An outcome without what is not compared. */
export function normalise({ value, error, stdout, stderr }) {
  return {
    value: deep(value),
    error: error && [error[0], texts(error[1])],
    stdout: texts(stdout),
    stderr: texts(stderr),
  };
}

function deep(value) {
  if (typeof value === "string") return texts(value);
  if (Array.isArray(value)) return value.map(deep);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deep(item)]));
}

/** The same as it comes out of another isolate, where values are those of JSON: numbers have no kind, times and ids are texts. */
export function overTheWall(outcome) {
  return { ...outcome, value: plain(outcome.value) };
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value.tuple) return value.tuple.map(plain);
  if (value.float && Number.isSafeInteger(Number(value.float))) return Number(value.float);
  const text = value.date ?? value.UUID ?? value.datetime?.replace(" ", "T");
  if (text) return text;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
