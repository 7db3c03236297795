import { udf } from "fuselet/udf";

export default udf({}, async () => {
  console.log("running");
  // What was said goes out first.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (;;);
});
