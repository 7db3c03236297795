serve((request, { raw, reply }) => {
  const head = new Uint8Array(20);
  const view = new DataView(head.buffer);
  view.setUint32(0, 16, true);
  view.setUint8(4, 7);
  raw(head);
  reply(request.id, "went on");
});
