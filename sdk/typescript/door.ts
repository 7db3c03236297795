/** The way from a UDF to its host. */

/** What a UDF can reach outside of its isolate. */
export interface UdfHost {
  /**
   * Calls a binding of the host, `binding.method`.
   * @throws an Error whose name is that of the host's error: PermissionDeniedError for what was not granted
   */
  call(name: string, ...args: readonly unknown[]): Promise<unknown>;
}

/** Inside an isolate the guest script puts its own call here. */
export const door: UdfHost = {
  call: (name) => Promise.reject(new Error(`Cannot call ${name}: this UDF runs in no isolate`)),
};
