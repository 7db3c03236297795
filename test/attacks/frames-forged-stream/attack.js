serve((request, { event, reply }) => {
  event("output", "__proto__", new Uint8Array(8));
  reply(request.id, "went on");
});
