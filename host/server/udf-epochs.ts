/**
 * Texts that kept results of a saved UDF belong to: with another text, those of before do not count any more. One for all of a UDF's
 * results, and one for each tile whose results were to be forgotten.
 */
import type { Tile } from "../../runtime/udf.ts";
import type { Store } from "../store/store.ts";
import { isId } from "./names.ts";
import { deleteAll } from "./records.ts";

/** `ID`, and `ID/Z/X/Y`. */
export const EPOCHS = "server.udf-epochs";

export interface UdfEpochs {
  /** What results of this UDF belong to now. @param id of a saved UDF, or whatever a client says it is */
  of(id: string, tile: Tile | undefined): Promise<string>;
  /** Forgets the results of a UDF, or of one tile of it. @param id of a saved UDF */
  forget(id: string, tile: Tile | undefined): Promise<void>;
  /** Of a UDF that was deleted. */
  drop(id: string): Promise<void>;
}

/** Of one UDF: with another one, the results of all tiles are forgotten. */
const MOST_TILES = 1000;

export function udfEpochs(store: Store): UdfEpochs {
  const keyOf = (id: string, { z, x, y }: Tile) => `${id}/${z}/${x}/${y}`;
  const read = async (key: string) => ((await store.get(EPOCHS, key))?.value ?? 0) as number | string;
  // Never one that was there before.
  const renew = (key: string) => store.put(EPOCHS, key, crypto.randomUUID());
  const tilesOf = (id: string) => store.list(EPOCHS, { prefix: `${id}/`, limit: MOST_TILES });
  const dropTiles = async (id: string) =>
    deleteAll(
      store,
      (await tilesOf(id)).map(({ key }) => ({ collection: EPOCHS, key })),
    );
  return {
    async of(id, tile) {
      if (!isId(id)) return "";
      const whole = await read(id);
      return tile ? `${whole}.${await read(keyOf(id, tile))}` : `${whole}`;
    },
    async forget(id, tile) {
      if (tile && (await tilesOf(id)).length < MOST_TILES) {
        await renew(keyOf(id, tile));
        return;
      }
      await renew(id);
      await dropTiles(id);
    },
    async drop(id) {
      await dropTiles(id);
      await store.delete(EPOCHS, id);
    },
  };
}
