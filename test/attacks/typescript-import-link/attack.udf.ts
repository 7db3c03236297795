import { udf } from "fuselet/udf";
import host from "./inside.json" with { type: "json" };

export default udf({}, () => (host.name ? ["link"] : []));
