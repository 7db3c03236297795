serve((request, { event, reply }) => {
  event("grant", "net=*");
  reply(request.id, "went on");
});
