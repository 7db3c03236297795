serve((_request, { send }) => {
  for (let id = 1; ; id++) send({ kind: "request", id, name: "net.fetch", text: "[]" });
});
