import { udf } from "fuselet/udf";

export default udf({}, () => {
  console.log("x".repeat(100_000_000));
  return [];
});
