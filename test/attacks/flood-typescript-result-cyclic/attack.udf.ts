import { udf } from "fuselet/udf";

export default udf({}, () => {
  const value: unknown[] = [];
  value.push({ value });
  return value;
});
