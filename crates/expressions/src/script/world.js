// What every script finds: its variables, and what it may do with those of the process.
(function (input, alive) {
  "use strict";
  const { variables, facts, mayset, whole } = input;
  delete Math.random;
  delete globalThis.queueMicrotask;
  const values = new Map();
  const assigned = [];
  for (const name of Object.keys(variables)) {
    const value = alive ? alive(variables[name]) : variables[name];
    values.set(name, value);
    if (!(name in globalThis)) globalThis[name] = value;
  }
  const none = () => {};
  globalThis.print = none;
  globalThis.console = { log: none, info: none, warn: none, error: none, debug: none };

  const set = (name, value, local) => {
    if (!mayset) throw new Error("only what an activity runs may set variables");
    values.set(String(name), value);
    assigned.push([String(name), value, local]);
  };
  const get = (name) => (values.has(String(name)) ? values.get(String(name)) : null);
  const execution = {
    getVariable: get,
    getVariableLocal: get,
    hasVariable: (name) => values.has(String(name)),
    setVariable: (name, value) => set(name, value, false),
    setVariableLocal: (name, value) => set(name, value, true),
  };
  globalThis.execution = execution;
  if (whole) whole(execution, values, set, facts);
  return assigned;
});
