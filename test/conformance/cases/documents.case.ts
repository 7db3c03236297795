/** Finished documents: pages and images. */
import { type Case, defineCase, media, python, pythonWith, typescript, typescriptWith } from "../case.ts";

const guest = "import { html, png } from 'fuselet/udf';";

export default [
  defineCase("documents keep their type and bytes", {
    typescript: typescript("[html('<p>Å🌍</p>'), png(new Uint8Array([137, 80]))]", guest),
    value: [media("text/html", "<p>Å🌍</p>"), media("image/png", Uint8Array.of(137, 80))],
  }),
  defineCase("a document goes in and comes back", {
    typescript: typescriptWith("{ page: unknown }", "given.page"),
    parameters: ({ MediaValue }) => ({
      page: new MediaValue("image/svg+xml", new TextEncoder().encode("<svg/>")),
    }),
    value: media("image/svg+xml", "<svg/>"),
  }),
  defineCase("what an object shows in a notebook is a page", {
    python: python(
      "[Shown(), {'again': Shown()}]",
      "class Shown:\n    def _repr_html_(self):\n        return '<b>Å🌍</b>'",
    ),
    value: [media("text/html", "<b>Å🌍</b>"), { again: media("text/html", "<b>Å🌍</b>") }],
  }),
  defineCase("documents go into Python as text and bytes", {
    python: pythonWith("page, image", "[page, image]"),
    parameters: ({ MediaValue }) => ({
      page: new MediaValue("text/html", new TextEncoder().encode("<p>Å🌍</p>")),
      image: new MediaValue("image/png", Uint8Array.of(137, 80)),
    }),
    value: ["<p>Å🌍</p>", Uint8Array.of(137, 80)],
  }),
  defineCase("an image is a PNG of its size", {
    python: python("Image.new('RGB', (2, 3), (255, 0, 0))", "from PIL import Image"),
    distribution: "pandas",
    scenario: async ({ runtime, source }) => {
      const { mediaType, value } = await runtime.run(source);
      const bytes = value as Uint8Array;
      // The signature, then the length and name of the header, then width, height, bits of a sample and the kind of colour.
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      return [mediaType, bytes.slice(0, 8), view.getUint32(16), view.getUint32(20), bytes[24], bytes[25]];
    },
    value: ["image/png", Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), 2, 3, 8, 2],
  }),
] satisfies Case[];
