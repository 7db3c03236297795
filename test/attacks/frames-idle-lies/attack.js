serve((request, { event, reply }) => {
  reply(request.id, "answered");
  event("idle", "null");
});
