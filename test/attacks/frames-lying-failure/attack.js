serve((request, { send, idle }) => {
  const error = {
    kind: "permission",
    type: {},
    message: ["x"],
    traceback: 1,
    file: {},
    line: "1",
    subject: null,
    value: { toString: 1 },
  };
  send({ kind: "reply", id: request.id, text: JSON.stringify({ ok: false, error }) });
  idle();
});
