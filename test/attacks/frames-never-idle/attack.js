serve((request, { reply, receive }) => {
  reply(request.id, "answered");
  receive();
});
