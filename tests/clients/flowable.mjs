// Flowable's JavaScript client for external workers, unmodified, through all its verbs: node flowable.mjs http://127.0.0.1:8080
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { ExternalWorkerClient } = createRequire(import.meta.url)("@flowable-oss/external-worker-client");
const base = process.argv[2];
const given = process.env.POTOK_AUTH;
const [username, password] = (given ?? "").split(":");
const auth = given ? { username, password } : undefined;
const signedIn = given ? { authorization: `Basic ${Buffer.from(given).toString("base64")}` } : {};
const ask = async (method, path, body) => {
  const headers = { ...signedIn, ...(body ? { "content-type": "application/json" } : {}) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
};
const form = new FormData();
form.append("job", new Blob([await readFile(new URL("job.bpmn", import.meta.url))]), "job.bpmn");
assert.equal((await fetch(`${base}/engine-rest/deployment/create`, { method: "POST", headers: signedIn, body: form })).status, 200);
const start = async () =>
  (await ask("POST", "/engine-rest/process-definition/key/job/start", { variables: { amount: { value: 5 } } })).body.id;
const tasks = async (instance) => (await ask("GET", `/engine-rest/task?processInstanceId=${instance}`)).body.map((it) => it.taskDefinitionKey);
const incidents = async (instance) => (await ask("GET", `/engine-rest/incident?processInstanceId=${instance}`)).body.map((it) => it.incidentMessage);
const isOver = async (instance) => (await ask("GET", `/engine-rest/process-instance/${instance}`)).status === 404;

// What its subscriptions call.
const client = (workerId) => new ExternalWorkerClient({ flowableHost: base, workerId, auth })._restClient;
const [worker, other] = [client("w"), client("v")];
const acquire = (by, lockDuration = "PT1M") => by.acquireJob({ topic: "flow", lockDuration });
const refused = async (call, expected) => {
  const error = await call.then(() => null, (error) => error);
  assert.equal(error?.response?.status, expected, String(error));
};

let instance = await start();
let [job] = await acquire(worker);
assert.deepEqual(job.variables, [{ name: "amount", type: "integer", value: 5 }]);
assert.deepEqual(await acquire(other), []);
assert.equal((await worker.getJob(job.id)).lockOwner, "w");
assert.equal((await worker.listJobs()).total, 1);
await refused(other.completeJob({ jobId: job.id }), 403);
await refused(other.failJob({ jobId: job.id, errorMessage: "late" }), 403);
await refused(other.jobWithBpmnError({ jobId: job.id, errorCode: "BAD" }), 403);
await worker.completeJob({ jobId: job.id, variables: [{ name: "done", type: "boolean", value: true }] });
await refused(worker.completeJob({ jobId: job.id }), 404);
await refused(worker.getJob(job.id), 404);
assert.ok(await isOver(instance));

instance = await start();
[job] = await acquire(worker);
await worker.failJob({ jobId: job.id, errorMessage: "no paper", errorDetails: "tray 1", retries: 1, retryTimeout: "PT0S" });
[job] = await acquire(other);
assert.deepEqual([job.exceptionMessage, job.retries], ["no paper", 1]);
await other.jobWithBpmnError({ jobId: job.id, errorCode: "BAD", variables: [{ name: "why", type: "string", value: "x" }] });
assert.deepEqual(await tasks(instance), ["mendJob"]);
assert.equal((await ask("GET", `/engine-rest/process-instance/${instance}/variables/why`)).body.value, "x");

instance = await start();
[job] = await acquire(worker);
await refused(worker.jobWithCmmnTerminate({ jobId: job.id }), 400);
await worker.failJob({ jobId: job.id, errorMessage: "no ink", retries: 0 });
assert.deepEqual(await acquire(worker), []);
assert.deepEqual(await incidents(instance), ["no ink"]);
await ask("DELETE", `/engine-rest/process-instance/${instance}`);

// A lock that has run out: another has it, and who had it is refused from then on.
instance = await start();
[job] = await acquire(worker, "PT0.001S");
let again = [];
for (let tries = 0; again.length === 0 && tries < 500; tries++) again = await acquire(other);
assert.equal(again[0].id, job.id);
await refused(worker.completeJob({ jobId: job.id }), 403);
await other.completeJob({ jobId: job.id });
assert.ok(await isOver(instance));

// Subscriptions: what the handler gives is done.
const subscribed = (result) =>
  new Promise((resolve) => {
    const of = new ExternalWorkerClient({ flowableHost: base, workerId: "s", auth });
    const subscription = of.subscribe({
      topic: "flow",
      waitPeriodSeconds: 0.05,
      callbackHandler(job, builder) {
        subscription.unsubscribe();
        const work = result(builder);
        return { execute: (client) => work.execute(client).finally(() => resolve(job)) };
      },
    });
  });
instance = await start();
job = await subscribed((builder) => builder.success().variable("note", "done", "string").variable("count", 3, "integer"));
assert.equal(job.elementId, "work");
assert.ok(await isOver(instance));
instance = await start();
await subscribed((builder) => builder.failure().errorMessage("no ink").retries(0));
assert.deepEqual(await incidents(instance), ["no ink"]);
await ask("DELETE", `/engine-rest/process-instance/${instance}`);
instance = await start();
await subscribed((builder) => builder.bpmnError().errorCode("BAD").variable("why", "y", "string"));
assert.deepEqual(await tasks(instance), ["mendJob"]);
console.log("@flowable-oss/external-worker-client: all verbs");
process.exit(0);
