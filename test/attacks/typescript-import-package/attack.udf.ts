import { tableFromIPC } from "apache-arrow";
import { udf } from "fuselet/udf";

export default udf({}, () => (typeof tableFromIPC === "function" ? ["package"] : []));
