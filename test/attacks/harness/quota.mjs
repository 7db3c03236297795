/**
 * Attacks that take all that there is of something: as in granted.mjs, while a neighbour's runs fetch and are answered, and the host's
 * memory is watched.
 */
import { sourceOf } from "./context.mjs";
import { HOST_BYTES, MiB, neighbour, watchHost } from "./flood.mjs";
import { checkControls, tryAll } from "./granted.mjs";

const NEIGHBOUR = sourceOf(
  "neighbour",
  "typescript",
  `export default async ({ n, other }: { n: number; other: string }) => {
     const answer = await fetch(\`http://\${other}/\`);
     return (await answer.text()) === "other" ? n + 1 : -1;
   };\n`,
);

export async function attempt(attack, context) {
  const world = await context.world();
  const runtime = await world.runtime("runtime");
  const { other } = world.target;
  const endNeighbour = neighbour(runtime, NEIGHBOUR, {
    parameters: { other },
    permissions: { net: [other] },
  });
  const before = process.memoryUsage.rss();
  const most = watchHost();
  const problems = await tryAll(attack, context);
  const grown = most() - before;
  problems.push(...(await endNeighbour()));
  if (grown > HOST_BYTES) problems.push(`the host grew by ${Math.round(grown / MiB)} MB`);
  problems.push(...(await checkControls(attack, context)));
  return problems;
}
