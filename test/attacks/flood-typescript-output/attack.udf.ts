import { udf } from "fuselet/udf";

export default udf({}, () => {
  for (;;) {
    console.log("line ".repeat(20), { n: 1, list: [1, 2, 3] });
    console.error("error ".repeat(20));
  }
});
