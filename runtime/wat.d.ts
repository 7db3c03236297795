/** The binary of WebAssembly that is written by hand (build.wat.mjs). */
declare module "*.wat" {
  const wasm: Uint8Array<ArrayBuffer>;
  export default wasm;
}
