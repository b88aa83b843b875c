// What every script finds: its variables, and what it may do with those of the process.
(function (input, alive) {
  "use strict";
  const { variables, own, facts, mayset, stores, whole } = input;
  delete Math.random;
  delete globalThis.queueMicrotask;
  const values = new Map();
  const assigned = [];
  // The innermost scope's variables; all are, where there is no other scope.
  const local = own && new Set(own);
  for (const name of Object.keys(variables)) {
    const value = alive ? alive(variables[name]) : variables[name];
    values.set(name, value);
    if (!(name in globalThis)) globalThis[name] = value;
  }
  const none = () => {};
  globalThis.print = none;
  globalThis.console = { log: none, info: none, warn: none, error: none, debug: none };

  const set = (name, value, here) => {
    if (!mayset) throw new Error("only what an activity runs may set variables");
    values.set(String(name), value);
    if (here && local) local.add(String(name));
    assigned.push([String(name), value, here]);
  };
  const has = (name, here) => values.has(String(name)) && !(here && local && !local.has(String(name)));
  const get = (name, here) => (has(name, here) ? values.get(String(name)) : null);
  const execution = {
    getVariable: (name) => get(name, false),
    getVariableLocal: (name) => get(name, true),
    hasVariable: (name) => has(name, false),
    setVariable: (name, value) => set(name, value, false),
    setVariableLocal: (name, value) => set(name, value, true),
  };
  globalThis.execution = execution;
  if (whole) whole(execution, values, set, has, facts);
  if (stores) {
    // What the script declares at its top with `var`, or without any word, are properties of the global object.
    const { keys } = Object;
    const known = new Map(keys(globalThis).map((name) => [name, globalThis[name]]));
    const isStored = (name) => known.get(name) !== globalThis[name] || !known.has(name);
    const store = () => keys(globalThis).forEach((name) => {
      const isSet = assigned.some(([other]) => other === name);
      if (!isSet && isStored(name) && typeof globalThis[name] !== "function") set(name, globalThis[name], false);
    });
    Object.defineProperty(assigned, "store", { value: store });
  }
  return assigned;
});
