import { udf } from "fuselet/udf";

export default udf({}, () => new Promise(() => {}));
