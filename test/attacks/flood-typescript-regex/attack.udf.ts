import { udf } from "fuselet/udf";

export default udf({}, () => /^(a|aa)+$/.test(`${"a".repeat(200)}b`));
