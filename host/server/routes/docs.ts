/** `/docs`: the page that shows `/openapi.json`. */
import { docsPage, docsPolicy } from "../docs-page.ts";
import type { App } from "../parts.ts";

export function addDocs(app: App): void {
  app.get("/docs", (c) => {
    const nonce = crypto.randomUUID().replaceAll("-", "");
    return c.html(docsPage(nonce), 200, {
      "content-security-policy": docsPolicy(nonce),
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
  });
}
