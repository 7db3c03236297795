serve((request, { reply, idle, event }) => {
  reply(request.id, "answered");
  idle();
  for (;;) event("output", "stdout", new Uint8Array(1000));
});
