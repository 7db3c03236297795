serve((request, { send, idle }) => {
  send({ kind: "reply", id: request.id, text: '{"ok":true,"value":' });
  idle();
});
