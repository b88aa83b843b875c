// The rarer words of `execution`, and those of `task`, which listeners of user tasks know.
(function (execution, values, set, has, facts) {
  "use strict";
  const fact = (name) => () => {
    if (facts === null) throw new Error("`execution` exists only inside a process instance");
    return facts[name] ?? null;
  };
  const names = (here) => [...values.keys()].filter((name) => has(name, here));
  const all = (here) => Object.fromEntries(names(here).map((name) => [name, values.get(name)]));
  const setAll = (all, here) => Object.keys(all).forEach((name) => set(name, all[name], here));
  const remove = (name, here) => {
    if (!has(name, here)) return;
    set(name, null, here);
    values.delete(String(name));
  };
  const removeAll = (some, here) => [...(some ?? names(true))].forEach((name) => remove(name, here));
  const variables = {
    getVariables: () => all(false),
    getVariablesLocal: () => all(true),
    getVariableNames: () => names(false),
    getVariableNamesLocal: () => names(true),
    hasVariableLocal: (name) => has(name, true),
    hasVariables: () => names(false).length > 0,
    hasVariablesLocal: () => names(true).length > 0,
    setVariables: (all) => setAll(all, false),
    setVariablesLocal: (all) => setAll(all, true),
    removeVariable: (name) => remove(name, false),
    removeVariableLocal: (name) => remove(name, true),
    removeVariables: (some) => removeAll(some, !some),
    removeVariablesLocal: (some) => removeAll(some, true),
    getEventName: fact("event"),
  };
  const usual = Object.keys(execution);
  Object.assign(execution, variables, {
    getProcessInstanceId: fact("instance"),
    getId: fact("instance"),
    getProcessBusinessKey: fact("businessKey"),
    getBusinessKey: fact("businessKey"),
    getProcessDefinitionId: fact("process"),
    getCurrentActivityId: fact("element"),
    getCurrentActivityName: fact("elementName"),
  });
  for (const [name, word] of [["processInstanceId", "instance"], ["id", "instance"], ["processBusinessKey", "businessKey"],
    ["businessKey", "businessKey"], ["processDefinitionId", "process"], ["currentActivityId", "element"],
    ["currentActivityName", "elementName"], ["eventName", "event"]]) {
    Object.defineProperty(execution, name, { get: fact(word) });
  }
  if ("task" in globalThis) return;
  const words = [...usual, ...Object.keys(variables), "getProcessInstanceId", "getProcessDefinitionId"];
  const task = Object.fromEntries(words.map((name) => [name, execution[name]]));
  Object.assign(task, {
    execution,
    getExecution: () => execution,
    getTaskDefinitionKey: fact("element"),
    getName: fact("taskName"),
    getAssignee: fact("assignee"),
  });
  for (const [name, word] of [["taskDefinitionKey", "element"], ["name", "taskName"], ["assignee", "assignee"]]) {
    Object.defineProperty(task, name, { get: fact(word) });
  }
  globalThis.task = task;
});
