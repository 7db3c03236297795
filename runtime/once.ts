/** Work that is done once and shared, unless it fails: then whoever asks next has it tried again. */

/** @returns a function that gives the promise of the one run of `make` */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    if (running) return running;
    const started = make();
    running = started;
    started.catch(() => {
      if (running === started) running = undefined;
    });
    return started;
  };
}
