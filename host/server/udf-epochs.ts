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

/** How long a number is taken to be what it was: another server on this store may change it. */
const FRESH_MS = 1000;
const MOST_KNOWN = 10_000;

export function udfEpochs(store: Store): UdfEpochs {
  const known = new Map<string, { epoch: number; untilMs: number }>();
  const remember = (key: string, epoch: number): number => {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, { epoch, untilMs: Date.now() + FRESH_MS });
    return epoch;
  };
  const keyOf = (id: string, { z, x, y }: Tile) => `${id}/${z}/${x}/${y}`;
  const read = async (key: string): Promise<number> => {
    const found = known.get(key);
    if (found && found.untilMs > Date.now()) return found.epoch;
    const record = await store.get(EPOCHS, key);
    const meanwhile = known.get(key);
    if (meanwhile && meanwhile !== found) return meanwhile.epoch;
    return remember(key, (record?.value ?? 0) as number);
  };
  return {
    async of(id, tile) {
      if (!/^[\w-]{1,64}$/.test(id)) return "";
      const whole = await read(id);
      return tile ? `${whole}.${await read(keyOf(id, tile))}` : `${whole}`;
    },
    async forget(id, tile) {
      const key = tile ? keyOf(id, tile) : id;
      const made = await store.update(EPOCHS, key, (old) => ({ value: ((old?.value ?? 0) as number) + 1 }));
      remember(key, made?.value as number);
    },
  };
}
