import { host, udf } from "fuselet/udf";

export default udf({}, () => Promise.all(Array.from({ length: 10 }, (_, i) => host.call("clock.wait", i))));
