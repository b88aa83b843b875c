// BPMN errors to throw, by the ways that models for Java engines name their class.
(function () {
  "use strict";
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
});
