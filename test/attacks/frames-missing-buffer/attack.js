serve((request, { reply, idle }) => {
  reply(request.id, { $: "bytes", b: 7 });
  idle();
});
