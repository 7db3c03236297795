/** Tiles by links: as pictures in a page of another origin, and as vectors. */
import assert from "node:assert/strict";
import { PbfReader } from "pbf";
import { PLACES } from "./udfs.mjs";

/** A tile of one colour, which says which tile it is. */
const COLOURS = `import { ndarray } from "fuselet/udf";
export default ({ tile }: { tile: { x: number; y: number; z: number } }) => {
  const colour = [tile.x * 50, tile.y * 50, tile.z * 50];
  return ndarray(new Uint8Array(3 * 256 * 256).map((_, i) => colour[Math.floor(i / 65536)]!), [3, 256, 256]);
};
`;

/** Layers of a vector tile, by name: their features' types, points and texts (github.com/mapbox/vector-tile-spec). */
function readTile(bytes) {
  const layers = {};
  const zigzag = (n) => (n >> 1) ^ -(n & 1);
  const readText = (tag, value, pbf) => {
    if (tag === 1) value.text = pbf.readString();
  };
  const readFeature = (tag, feature, pbf) => {
    if (tag === 2) feature.tags = pbf.readPackedVarint();
    if (tag === 3) feature.type = pbf.readVarint();
    if (tag === 4) feature.point = pbf.readPackedVarint().slice(1, 3).map(zigzag);
  };
  const readLayer = (tag, layer, pbf) => {
    if (tag === 1) layer.name = pbf.readString();
    if (tag === 2) layer.features.push(pbf.readMessage(readFeature, {}));
    if (tag === 3) layer.keys.push(pbf.readString());
    if (tag === 4) layer.values.push(pbf.readMessage(readText, {}).text);
  };
  new PbfReader(bytes).readFields((tag, _, tile) => {
    if (tag !== 3) return;
    const { name, keys, values, features } = tile.readMessage(readLayer, {
      ...{ keys: [], values: [], features: [] },
    });
    layers[name] = features.map(({ tags, type, point }) => ({
      type,
      point,
      [keys[tags[0]]]: values[tags[1]],
    }));
  });
  return layers;
}

/** @param {ReturnType<typeof import("./shared.mjs").openShared>} shared */
export function tileCases({ server, link, get, openPage }) {
  return {
    "<img> of a tile shows its pixels in a page of another origin": async () => {
      const colours = `${server.url}/${await link("colours", COLOURS, "typescript")}`;
      const { page, problems, close } = await openPage();
      const shown = await page.evaluate(
        async (tiles) => {
          const load = async (src) => {
            const image = new Image();
            image.crossOrigin = "anonymous";
            image.src = src;
            document.body.append(image);
            await image.decode();
            const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
            canvas.drawImage(image, 0, 0);
            return [image.naturalWidth, ...canvas.getImageData(200, 10, 1, 1).data];
          };
          // Without CORS as well: what a plain <img> shows.
          const plain = new Image();
          plain.src = tiles[0];
          await plain.decode();
          return [...(await Promise.all(tiles.map(load))), plain.naturalHeight];
        },
        [`${colours}/run/tiles/2/1/3.png`, `${colours}/run/tiles/3/4/2.png`],
      );
      assert.deepEqual(shown, [[256, 50, 150, 100, 255], [256, 200, 100, 150, 255], 256]);
      assert.deepEqual(problems, []);
      await close();
    },

    ".mvt tiles decode, and hold what lies in the tile": async () => {
      const places = await link("places", PLACES);
      for (const tile of ["0/0/0", "5/17/11"]) {
        const answer = await get(`${places}/run/tiles/${tile}.mvt`);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get("content-type"), "application/vnd.mapbox-vector-tile");
        const { udf, ...others } = readTile(new Uint8Array(await answer.arrayBuffer()));
        assert.deepEqual(others, {});
        assert.deepEqual([udf.length, udf[0].type, udf[0].kind], [1, 1, "middle"]);
        // Mercator is not linear in latitude: the middle is a little off.
        for (const place of udf[0].point) assert.ok(Math.abs(place - 2048) < 100, `${tile}: ${udf[0].point}`);
      }
      assert.equal((await get(`${places}/run/tiles/1/2/0.mvt`)).status, 404);
      assert.equal((await get(`${places}/run/tiles/x/0/0.mvt`)).status, 422);
    },
  };
}
