serve((request, { raw }) => {
  const head = new Uint8Array(64);
  const view = new DataView(head.buffer);
  view.setUint32(0, 60, true);
  view.setUint8(4, 1);
  view.setUint32(8, request.id, true);
  view.setUint32(12, 4_000_000_000, true);
  view.setUint16(16, 1000, true);
  raw(head);
  for (;;) raw(new Uint8Array(1 << 20));
});
