// What an isolate holds when it is idle is garbage that the next run does not answer for: so it says so in the middle of a run.
serve((request, { reply, idle }) => {
  const held = [];
  for (let step = 0; step < 12; step++) {
    held.push(Buffer.alloc(80 << 20, 1));
    idle();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  reply(request.id, held.length);
});
