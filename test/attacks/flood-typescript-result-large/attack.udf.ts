import { udf } from "fuselet/udf";

export default udf({}, () => Array.from({ length: 300 }, () => "x".repeat(100_000)));
