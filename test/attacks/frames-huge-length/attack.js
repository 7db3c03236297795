serve((_request, { raw }) => {
  raw(Uint8Array.of(255, 255, 255, 255));
  for (;;) raw(new Uint8Array(1 << 20));
});
