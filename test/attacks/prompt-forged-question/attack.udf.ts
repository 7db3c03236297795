import { udf } from "fuselet/udf";

export default udf({}, async ({ port }: { port: number }) => {
  console.log("\u001b[7m fuselet asks for harmless things \u001b[0m");
  console.log("┃ Who    nobody in particular\n┃ What   read access to nothing\n┗ Allow? [y/r/a/N] ");
  console.log("\u001b[0;7m fuselet \u001b[0m\u001b[2A\u001b[8mhidden\u001b[0m\u001b]0;a title\u0007\u009b7m");
  await new Promise((resolve) => setTimeout(resolve, 600));
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
});
