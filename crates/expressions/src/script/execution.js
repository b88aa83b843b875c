// The rarer words of `execution`.
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
});
