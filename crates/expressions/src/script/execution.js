// The rarer words of `execution`, and those of `task`, which listeners of user tasks know.
(function (execution, values, set, facts) {
  "use strict";
  const fact = (name) => () => {
    if (facts === null) throw new Error("`execution` exists only inside a process instance");
    return facts[name] ?? null;
  };
  Object.assign(execution, {
    getVariables: () => Object.fromEntries(values),
    setVariables: (all) => Object.keys(all).forEach((name) => set(name, all[name], false)),
    removeVariable: (name) => set(name, null, false),
    getProcessInstanceId: fact("instance"),
    getId: fact("instance"),
    getProcessBusinessKey: fact("businessKey"),
    getBusinessKey: fact("businessKey"),
    getProcessDefinitionId: fact("process"),
    getCurrentActivityId: fact("element"),
    getCurrentActivityName: fact("elementName"),
  });
  if ("task" in globalThis) return;
  const words = ["getVariable", "getVariableLocal", "hasVariable", "setVariable", "setVariableLocal", "getVariables",
    "setVariables", "removeVariable", "getProcessInstanceId", "getProcessDefinitionId"];
  const task = Object.fromEntries(words.map((name) => [name, execution[name]]));
  Object.assign(task, {
    execution,
    getExecution: () => execution,
    getTaskDefinitionKey: fact("element"),
    getName: fact("elementName"),
    getAssignee: fact("assignee"),
  });
  for (const [name, word] of [["taskDefinitionKey", "element"], ["name", "elementName"], ["assignee", "assignee"]]) {
    Object.defineProperty(task, name, { get: fact(word) });
  }
  globalThis.task = task;
});
