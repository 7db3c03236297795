/** The bound on WebAssembly memories of a realm: growth goes through one gate. Installed before the intrinsics are frozen. */

/** @returns the function that sets how many bytes a memory may grow to (the binary's own maximum bounds it for good). */
export function boundMemory(): (maxBytes: number) => void {
  const prototype = WebAssembly.Memory.prototype;
  const grow = prototype.grow;
  let max = Number.POSITIVE_INFINITY;
  prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
    if (this.buffer.byteLength + pages * 65536 > max) {
      throw new RangeError(`WebAssembly.Memory.grow(): over the limit of ${max} bytes`);
    }
    return Reflect.apply(grow, this, [pages]);
  };
  return (maxBytes) => {
    max = maxBytes;
  };
}
