import { udf } from "fuselet/udf";

export default udf({}, () =>
  JSON.parse(
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"list":[{"__proto__":{"polluted":true}}]}',
  ),
);
