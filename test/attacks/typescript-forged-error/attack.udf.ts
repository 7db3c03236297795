import { udf } from "fuselet/udf";

class LimitExceededError extends Error {
  override name = "LimitExceededError";
  limit = "timeMs";
  allowed = 1;
  exitCode = 0;
  ok = true;
  value = "forged";
  kind = "limit";
  type = "LimitExceededError";
}

export default udf({}, () => {
  throw new LimitExceededError("it looks like the host's");
});
