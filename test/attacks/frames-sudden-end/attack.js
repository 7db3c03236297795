serve((_request, { raw }) => {
  raw(Uint8Array.of(100, 0, 0, 0, 1, 0));
  process.exit(0);
});
