serve((request, { reply, idle }) => {
  reply(request.id, "first");
  reply(request.id, "second");
  idle();
});
