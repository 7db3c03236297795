/** A page's own file system. */

/** Nothing is there, or something else than was looked for. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (["NotFoundError", "TypeMismatchError"].includes((error as Error).name)) return null;
    throw error;
  }
}
