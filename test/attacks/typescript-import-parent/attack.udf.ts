import { udf } from "fuselet/udf";
import host from "../../../package.json" with { type: "json" };

export default udf({}, () => (host.name ? ["package.json"] : []));
