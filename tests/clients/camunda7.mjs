// The official JavaScript client for external tasks, unmodified, through all its verbs: node camunda7.mjs http://127.0.0.1:8080/engine-rest
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BasicAuthInterceptor, Client, File, Variables } from "camunda-external-task-client-js";

const base = process.argv[2];
const models = new URL("../faces/camunda7/models/", import.meta.url);
const auth = process.env.POTOK_AUTH;
const signedIn = auth ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
const [username, password] = (auth ?? "").split(":");
const signIn = auth ? { interceptors: [new BasicAuthInterceptor({ username, password })] } : {};

const ask = async (method, path, body) => {
  const headers = { ...signedIn, ...(body ? { "content-type": "application/json" } : {}) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
};

const form = new FormData();
form.append("deployment-name", "clients");
form.append("worker", new Blob([await readFile(new URL("worker.bpmn", models))]), "worker.bpmn");
assert.equal((await fetch(base + "/deployment/create", { method: "POST", headers: signedIn, body: form })).status, 200);

const start = async (variables) =>
  (await ask("POST", "/process-definition/key/worker/start", { variables, businessKey: "C-1" })).body.id;
const isOver = async (instance) => (await ask("GET", `/process-instance/${instance}`)).status === 404;
const cancel = (instance) => ask("DELETE", `/process-instance/${instance}`);

/** The next task of the topic, in the hands of that worker. */
const next = (workerId, options = {}, of = {}) =>
  new Promise((resolve, reject) => {
    const client = new Client({ baseUrl: base, workerId, interval: 20, autoPoll: false, maxTasks: 1, ...signIn, ...of });
    const subscription = client.subscribe("work", options, async ({ task, taskService }) => {
      subscription.unsubscribe();
      client.stop();
      resolve({ task, taskService });
    });
    client.on("poll:error", reject);
    client.start();
  });

/** It is refused, with that status. */
const refused = async (call, status) => {
  const error = await call().then(() => null, (error) => error);
  assert.ok(error, "this should have been refused");
  assert.match(String(error.message ?? error) + JSON.stringify(error.response?.statusCode ?? ""), new RegExp(status));
};

// complete, with variables of every type that the client has, and a file both ways
let instance = await start({
  amount: { value: 5, type: "Integer" },
  when: { value: "2035-01-02T03:04:05.000+0000", type: "Date" },
  letter: { value: Buffer.from("Dear Anna").toString("base64"), type: "File", valueInfo: { filename: "letter.txt", mimeType: "text/plain" } },
});
let { task, taskService } = await next("js");
assert.equal(task.variables.get("amount"), 5);
assert.deepEqual([task.businessKey, task.workerId, task.activityId, task.retries], ["C-1", "js", "work", null]);
assert.ok(task.variables.get("when") instanceof Date);
assert.equal(String((await task.variables.get("letter").load()).content), "Dear Anna");
await taskService.extendLock(task, 60000);
const folder = await mkdtemp(join(tmpdir(), "potok-clients-"));
await writeFile(join(folder, "answer.txt"), "Dear Boris");
const file = await new File({ localPath: join(folder, "answer.txt"), mimetype: "text/plain" }).load();
await rm(folder, { recursive: true });
const given = new Variables()
  .setAllTyped({ text: { value: "x", type: "string" }, number: { value: 7, type: "integer" } })
  .setAll({ flag: true, half: 0.5 })
  .setTyped("long", { value: 8589934592, type: "long" })
  .setTyped("day", { value: new Date("2035-01-02T03:04:05.000Z"), type: "date" })
  .setTyped("list", { value: { a: [1, 2] }, type: "json", valueInfo: {} })
  .set("nothing", null)
  .set("answer", file);
await taskService.complete(task, given, new Variables().set("local", 1));
assert.ok(await isOver(instance));
const history = await ask("GET", `/history/variable-instance?processInstanceId=${instance}&deserializeValues=false`);
const types = Object.fromEntries(history.body.filter((it) => it.name !== "local").map((it) => [it.name, it.type]));
assert.deepEqual(types, {
  amount: "Integer", when: "Date", letter: "File", text: "String", number: "Integer", flag: "Boolean", half: "Double",
  long: "Long", day: "Date", list: "Json", nothing: "Null", answer: "File",
});
const answer = history.body.find((it) => it.name === "answer");
const data = await fetch(`${base}/history/variable-instance/${answer.id}/data`, { headers: signedIn });
assert.equal(await data.text(), "Dear Boris");
await refused(() => taskService.complete(task), 404);

// failure: tried again, then an incident, then some retries
instance = await start({});
({ task, taskService } = await next("js"));
await taskService.handleFailure(task, { errorMessage: "no paper", errorDetails: "tray 1", retries: 1, retryTimeout: 0 });
({ task, taskService } = await next("js"));
assert.deepEqual([task.retries, task.errorMessage, task.errorDetails], [1, "no paper", "tray 1"]);
await taskService.handleFailure(task, { errorMessage: "no ink", retries: 0, retryTimeout: 0 });
const incidents = async () => (await ask("GET", `/incident?processInstanceId=${instance}`)).body;
assert.deepEqual((await incidents()).map((it) => [it.incidentType, it.incidentMessage]), [["failedExternalTask", "no ink"]]);
assert.equal((await ask("PUT", `/external-task/${task.id}/retries`, { retries: 2 })).status, 204);
assert.deepEqual(await incidents(), []);
({ task, taskService } = await next("js"));
await taskService.complete(task);
assert.ok(await isOver(instance));

// a BPMN error
instance = await start({});
({ task, taskService } = await next("js"));
await taskService.handleBpmnError(task, "BAD", "it is bad", new Variables().set("why", "x"));
assert.equal((await ask("GET", `/task?processInstanceId=${instance}`)).body[0].taskDefinitionKey, "mend");
await cancel(instance);

// unlock and lock: one has it at a time
instance = await start({});
({ task, taskService } = await next("js"));
await taskService.unlock(task);
const other = await next("other");
assert.equal(other.task.id, task.id);
await refused(() => taskService.complete(task), 400);
await refused(() => taskService.lock(task, 60000), 400);
await other.taskService.unlock(other.task);
await taskService.lock(task, 60000);
await refused(() => other.taskService.handleFailure(other.task, { errorMessage: "late" }), 400);
await taskService.complete(task);
assert.ok(await isOver(instance));

// a lock that has run out: it is fetched again, and who had it is refused from then on
instance = await start({});
({ task, taskService } = await next("js", { lockDuration: 1 }));
const later = await next("later", { lockDuration: 60000 }, { asyncResponseTimeout: 10000 });
assert.equal(later.task.id, task.id);
await refused(() => taskService.complete(task), 400);
await refused(() => taskService.extendLock(task, 60000), 400);
assert.equal(await isOver(instance), false);
await later.taskService.complete(later.task);
assert.ok(await isOver(instance));

// only what a subscription asks for
instance = await start({ colour: { value: "red" }, size: { value: 1 } });
await start({ colour: { value: "blue" } });
({ task, taskService } = await next("js", { processVariables: { colour: "red" }, variables: ["colour"], businessKey: "C-1", processDefinitionKey: "worker" }));
assert.equal(task.processInstanceId, instance);
assert.deepEqual(task.variables.getAll(), { colour: "red" });
await taskService.complete(task);
({ task, taskService } = await next("js"));
assert.equal(task.variables.get("colour"), "blue");
await taskService.complete(task);
console.log("camunda-external-task-client-js: all verbs");
process.exit(0);
