import { udf } from "fuselet/udf";

export default udf({}, () => {
  for (;;) {
    setTimeout(() => {}, 1e6);
    setInterval(() => {}, 1e6);
  }
});
