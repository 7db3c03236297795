serve((request, { send, idle }) => {
  const text =
    '{"ok":true,"value":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}';
  send({ kind: "reply", id: request.id, text });
  idle();
});
