import { udf } from "fuselet/udf";

export default udf({}, () => new Promise((resolve) => setTimeout(resolve, 2 ** 31 - 1)));
