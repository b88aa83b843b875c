// Flowable's JavaScript client for external workers, unmodified: node flowable.mjs http://127.0.0.1:8080
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { ExternalWorkerClient } = createRequire(import.meta.url)("@flowable-oss/external-worker-client");
const base = process.argv[2];
const form = new FormData();
form.append("job", new Blob([await readFile(new URL("job.bpmn", import.meta.url))]), "job.bpmn");
assert.equal((await fetch(`${base}/engine-rest/deployment/create`, { method: "POST", body: form })).status, 200);
const start = () =>
  fetch(`${base}/engine-rest/process-definition/key/job/start`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ variables: { amount: { value: 5 } } }),
  });
// The calls that its subscriptions make.
const client = (workerId) => new ExternalWorkerClient({ flowableHost: base, workerId })._restClient;
const [worker, other] = [client("w"), client("v")];
const acquire = (by) => by.acquireJob({ topic: "flow", lockDuration: "PT1M" });
const status = async (call, expected) => {
  const error = await call.then(() => null, (error) => error);
  assert.equal(error?.response?.status, expected, String(error));
};

await start();
let [job] = await acquire(worker);
assert.deepEqual(job.variables, [{ name: "amount", type: "integer", value: 5 }]);
assert.deepEqual(await acquire(other), []);
assert.equal((await worker.getJob(job.id)).lockOwner, "w");
assert.equal((await worker.listJobs()).total, 1);
await status(other.completeJob({ jobId: job.id }), 403);
await worker.completeJob({ jobId: job.id, variables: [{ name: "done", type: "boolean", value: true }] });
await status(worker.completeJob({ jobId: job.id }), 404);

await start();
[job] = await acquire(worker);
await worker.failJob({ jobId: job.id, errorMessage: "no paper", retries: 1, retryTimeout: "PT0S" });
[job] = await acquire(other);
assert.equal(job.exceptionMessage, "no paper");
await other.jobWithBpmnError({ jobId: job.id, errorCode: "BAD" });
const tasks = await (await fetch(`${base}/engine-rest/task?taskDefinitionKey=mendJob`)).json();
assert.equal(tasks.length, 1);

await start();
[job] = await acquire(worker);
await status(worker.jobWithCmmnTerminate({ jobId: job.id }), 400);
await worker.failJob({ jobId: job.id, errorMessage: "no ink", retries: 0 });
assert.deepEqual(await acquire(worker), []);
console.log("@flowable-oss/external-worker-client: all verbs");
process.exit(0);
