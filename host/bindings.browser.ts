/** What the host can do in a page, each binding made when a UDF first calls it. */
import { once } from "../runtime/once.ts";
import { lazyBinding, type OpenBindings } from "./bindings.ts";

export function openBindings(): OpenBindings {
  const closers: (() => Promise<unknown>)[] = [];
  const network = once(async () => {
    const [{ openTransport }, { netBinding }] = await Promise.all([
      import("./net/transport.browser.ts"),
      import("./net/binding.ts"),
    ]);
    const transport = openTransport();
    closers.push(() => transport.close());
    return netBinding({ transport });
  });
  const results = once(async () => {
    const [{ openCache }, { cacheBinding }] = await Promise.all([
      import("./cache/cache.browser.ts"),
      import("./cache/binding.ts"),
    ]);
    const { cache, close } = openCache();
    closers.push(close);
    return cacheBinding({ cache });
  });
  return {
    bindings: {
      net: lazyBinding(["fetch", "read", "close"], network),
      cache: lazyBinding(["begin", "commit", "abandon"], results),
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
