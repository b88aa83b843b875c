// The official JavaScript client for external tasks, unmodified, through all its verbs: node camunda7.mjs http://127.0.0.1:8080/engine-rest
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Client, Variables } from "camunda-external-task-client-js";

const base = process.argv[2];
const models = new URL("../faces/camunda7/models/", import.meta.url);

const ask = async (method, path, body) => {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
};

const form = new FormData();
form.append("deployment-name", "clients");
form.append("worker", new Blob([await readFile(new URL("worker.bpmn", models))]), "worker.bpmn");
const deployed = await fetch(base + "/deployment/create", { method: "POST", body: form });
assert.equal(deployed.status, 200);

const start = async (variables) =>
  (await ask("POST", "/process-definition/key/worker/start", { variables, businessKey: "C-1" })).body.id;
const client = new Client({ baseUrl: base, workerId: "js", interval: 20, autoPoll: false, maxTasks: 1 });

/** The next task of the topic, in the handler's hands. */
const next = (options) =>
  new Promise((resolve, reject) => {
    const subscription = client.subscribe("work", options ?? {}, async ({ task, taskService }) => {
      subscription.unsubscribe();
      client.stop();
      resolve({ task, taskService });
    });
    client.on("poll:error", reject);
    client.start();
  });

/** A late worker is refused. */
const late = async (call, status) => {
  const error = await call().then(() => null, (error) => error);
  assert.ok(error, "this should have been refused");
  assert.match(String(error.message ?? error) + JSON.stringify(error.response?.statusCode ?? ""), new RegExp(status));
};

// complete, with variables of every type that the client has
let instance = await start({ amount: { value: 5, type: "Integer" }, when: { value: "2035-01-02T03:04:05.000+0000", type: "Date" } });
let { task, taskService } = await next();
assert.equal(task.variables.get("amount"), 5);
assert.equal(task.businessKey, "C-1");
assert.ok(task.variables.get("when") instanceof Date);
await taskService.extendLock(task, 60000);
const given = new Variables()
  .setAllTyped({ text: { value: "x", type: "string" }, number: { value: 7, type: "integer" } })
  .set("flag", true)
  .setTyped("list", { value: { a: [1, 2] }, type: "json", valueInfo: {} })
  .set("nothing", null);
await taskService.complete(task, given);
assert.equal((await ask("GET", `/process-instance/${instance}`)).status, 404);
const history = await ask("GET", `/history/variable-instance?processInstanceId=${instance}&deserializeValues=false`);
const types = Object.fromEntries(history.body.map((it) => [it.name, it.type]));
assert.deepEqual(types, { amount: "Integer", when: "Date", text: "String", number: "Integer", flag: "Boolean", list: "Json", nothing: "Null" });
await late(() => taskService.complete(task), "404");

// failure: tried again, then an incident
instance = await start({});
({ task, taskService } = await next());
await taskService.handleFailure(task, { errorMessage: "no paper", errorDetails: "tray 1", retries: 1, retryTimeout: 0 });
({ task, taskService } = await next());
assert.equal(task.retries, 1);
await taskService.handleFailure(task, { errorMessage: "no ink", retries: 0, retryTimeout: 0 });
const incidents = await ask("GET", `/incident?processInstanceId=${instance}`);
assert.equal(incidents.body.length, 1);
assert.equal(incidents.body[0].incidentMessage, "no ink");
await ask("DELETE", `/process-instance/${instance}`);

// a BPMN error
instance = await start({});
({ task, taskService } = await next());
await taskService.handleBpmnError(task, "BAD", "it is bad", new Variables().set("why", "x"));
assert.equal((await ask("GET", `/task?processInstanceId=${instance}`)).body[0].taskDefinitionKey, "mend");
await ask("DELETE", `/process-instance/${instance}`);

// unlock: another worker has it, and the first one is refused
instance = await start({});
({ task, taskService } = await next());
await taskService.unlock(task);
const other = await ask("POST", "/external-task/fetchAndLock", {
  workerId: "other", maxTasks: 1, topics: [{ topicName: "work", lockDuration: 60000 }],
});
assert.equal(other.body[0].id, task.id);
await late(() => taskService.complete(task), "400");
await ask("DELETE", `/process-instance/${instance}`);
console.log("camunda-external-task-client-js: all verbs");
process.exit(0);
