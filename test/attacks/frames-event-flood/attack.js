serve((_request, { event }) => {
  for (;;) event("output", "stdout", new Uint8Array(1));
});
