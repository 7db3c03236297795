import { udf } from "fuselet/udf";

export default udf({}, () => {
  let value: unknown = 1;
  for (let i = 0; i < 200_000; i++) value = { a: [value] };
  return value;
});
