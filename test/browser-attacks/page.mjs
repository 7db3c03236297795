/** What the attack suite needs in a page, beyond the public interface: isolates with a script of one's own. */
import { Isolate } from "../../runtime/isolate/isolate.ts";
import { browserPlatform } from "../../runtime/isolate/platform.browser.ts";

/**
 * Starts an isolate with `script`, which answers with a report.
 * @param {{ html: string, script: string, start: object, startMs?: number }} options `html`: the frame's document
 * @returns {Promise<object>} the report, or `{ error }` where the isolate was ended
 */
export async function attack({ html, script, start, startMs = 20_000 }) {
  const own = { name: "test", read: async () => new TextEncoder().encode(html), has: async () => true };
  const platform = browserPlatform({ own });
  const recipe = { key: "attack", realm: script, assets: [], start, realmPerUdf: true };
  const options = {
    memoryBytes: 2 ** 28,
    startMs,
    outputBytes: 2 ** 20,
    messageBytes: 2 ** 20,
    reusable: true,
  };
  try {
    const { isolate, buffers } = await Isolate.open(platform, recipe, options);
    await isolate.close();
    return JSON.parse(new TextDecoder().decode(buffers[0]));
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
