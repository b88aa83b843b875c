// Makes the world of a script: its variables, the step's time, and nothing of the machine.
(function (input) {
  "use strict";
  const { variables, facts, now, mayset } = JSON.parse(input);
  const { parse, stringify } = JSON;
  const assigned = [];
  const values = new Map();
  const alive = (value) => {
    if (Array.isArray(value)) return value.map(alive);
    if (value === null || typeof value !== "object") return value;
    if (typeof value.$date === "number") return new RealDate(value.$date);
    const copy = {};
    for (const key of Object.keys(value)) copy[key] = alive(value[key]);
    return copy;
  };

  const RealDate = Date;
  const FixedDate = function (...parts) {
    if (!new.target) return new RealDate(now).toUTCString();
    if (parts.length === 0) return Reflect.construct(RealDate, [now], new.target);
    if (parts.length === 1) return Reflect.construct(RealDate, parts, new.target);
    return Reflect.construct(RealDate, [RealDate.UTC(...parts)], new.target);
  };
  FixedDate.prototype = RealDate.prototype;
  FixedDate.now = () => now;
  FixedDate.UTC = RealDate.UTC;
  FixedDate.parse = RealDate.parse;
  RealDate.prototype.constructor = FixedDate;
  for (const part of ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds", "Day"]) {
    RealDate.prototype["get" + part] = RealDate.prototype["getUTC" + part];
    if (part !== "Day") RealDate.prototype["set" + part] = RealDate.prototype["setUTC" + part];
  }
  RealDate.prototype.getTimezoneOffset = () => 0;
  RealDate.prototype.toString = RealDate.prototype.toUTCString;
  globalThis.Date = FixedDate;
  delete Math.random;

  for (const name of Object.keys(variables)) values.set(name, alive(variables[name]));

  class BpmnError extends Error {
    constructor(code, message) {
      super(message);
      this.name = "BpmnError";
      this.bpmnErrorCode = String(code);
    }
    getErrorCode() { return this.bpmnErrorCode; }
  }
  globalThis.BpmnError = BpmnError;
  globalThis.org = { camunda: { bpm: { engine: { delegate: { BpmnError } } } } };
  globalThis.Java = {
    type(name) {
      if (name === "org.camunda.bpm.engine.delegate.BpmnError") return BpmnError;
      throw new Error("Java classes such as " + name + " are not available; call a worker");
    },
  };
  globalThis.print = globalThis.print ?? (() => {});
  globalThis.console = { log() {}, info() {}, warn() {}, error() {}, debug() {} };

  const set = (name, value, local) => {
    if (!mayset) throw new Error("only what an activity runs may set variables");
    values.set(String(name), value);
    assigned.push([String(name), value, local]);
  };
  const get = (name) => (values.has(String(name)) ? values.get(String(name)) : null);
  const fact = (name) => () => {
    if (facts === null) throw new Error("`execution` exists only inside a process instance");
    return facts[name] ?? null;
  };
  globalThis.execution = {
    getVariable: get,
    getVariableLocal: get,
    getVariables: () => Object.fromEntries(values),
    hasVariable: (name) => values.has(String(name)),
    setVariable: (name, value) => set(name, value, false),
    setVariableLocal: (name, value) => set(name, value, true),
    setVariables: (all) => Object.keys(all).forEach((name) => set(name, all[name], false)),
    removeVariable: (name) => set(name, null, false),
    getProcessInstanceId: fact("instance"),
    getId: fact("instance"),
    getProcessBusinessKey: fact("businessKey"),
    getBusinessKey: fact("businessKey"),
    getProcessDefinitionId: fact("process"),
    getCurrentActivityId: fact("element"),
    getCurrentActivityName: fact("elementName"),
  };
  for (const [name, value] of values) {
    if (!(name in globalThis)) globalThis[name] = value;
  }

  const dated = (value) => {
    const seen = [];
    const walk = (value) => {
      if (value instanceof RealDate) return { $date: value.getTime() };
      if (typeof value === "bigint") return Number(value);
      if (value instanceof Map) return walk(Object.fromEntries(value));
      if (value instanceof Set) return walk([...value]);
      if (value === null || typeof value !== "object") return value;
      if (seen.includes(value)) throw new Error("a value contains itself");
      seen.push(value);
      if (seen.length > 100) throw new Error("a value is nested too deeply");
      let copy;
      if (Array.isArray(value)) {
        copy = value.map(walk);
      } else {
        copy = {};
        for (const key of Object.keys(value)) copy[key] = walk(value[key]);
      }
      seen.pop();
      return copy;
    };
    return walk(value);
  };
  return {
    done: (result) => stringify({ result: dated(result), assigned: dated(assigned) }),
    failed: (error) =>
      error instanceof BpmnError
        ? stringify({ code: error.bpmnErrorCode, message: error.message })
        : stringify({ failure: String(error) }),
  };
});
