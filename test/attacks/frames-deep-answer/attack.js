serve((request, { send, idle }) => {
  const depth = 100_000;
  send({
    kind: "reply",
    id: request.id,
    text: `{"ok":true,"value":${"[".repeat(depth)}${"]".repeat(depth)}}`,
  });
  idle();
});
