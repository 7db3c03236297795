/** The functions that call into the realm: by `caller`, `callee` and `this`. */
export default async ({ foreign }) => {
  const reached = new Set();
  const note = (name, value) => {
    if (foreign(value)) reached.add(name);
  };
  const called = function (...args) {
    note("this", this);
    for (const arg of args) note("argument", arg);
    try {
      note("caller", called.caller);
    } catch {
      return;
    }
  };
  await new Promise((resolve) => {
    setTimeout(called, 1);
    setTimeout(called, 0);
    setTimeout(() => resolve(), 5);
  });
  await {
    then: (resolve) => {
      note("then", resolve);
      resolve();
    },
  };
  const getter = {
    get then() {
      note("getter", this);
      return undefined;
    },
  };
  await getter;
  return [...reached];
};
