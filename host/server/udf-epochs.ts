/**
 * Numbers that kept results of a saved UDF belong to: with another number, those of before do not count any more. One for all of a
 * UDF's results, and one for each tile whose results were to be forgotten.
 */
import type { Tile } from "../../runtime/udf.ts";
import type { Store } from "../store/store.ts";

const EPOCHS = "server.udf-epochs";

export interface UdfEpochs {
  /** What results of this UDF belong to now. @param id of a saved UDF, or whatever a client says it is */
  of(id: string, tile: Tile | undefined): Promise<string>;
  /** Forgets the results of a UDF, or of one tile of it. @param id of a saved UDF */
  forget(id: string, tile: Tile | undefined): Promise<void>;
}

export function udfEpochs(store: Store): UdfEpochs {
  const keyOf = (id: string, { z, x, y }: Tile) => `${id}/${z}/${x}/${y}`;
  const read = async (key: string) => ((await store.get(EPOCHS, key))?.value ?? 0) as number;
  return {
    async of(id, tile) {
      if (!/^[\w-]{1,64}$/.test(id)) return "";
      const whole = await read(id);
      return tile ? `${whole}.${await read(keyOf(id, tile))}` : `${whole}`;
    },
    async forget(id, tile) {
      await store.update(EPOCHS, tile ? keyOf(id, tile) : id, (old) => ({
        value: ((old?.value ?? 0) as number) + 1,
      }));
    },
  };
}
