// The API by a client whose types are generated from its description: what compiles here is what the description says.
// node generated/client.js http://127.0.0.1:8080
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./generated/potok.js";

const api = createClient<paths>({ baseUrl: process.argv[2] });

const started = await api.POST("/api/v1/instances", {
  body: { definition: "letter", businessKey: "typescript", variables: { client: "Anna" } },
});
assert.ok(started.data, JSON.stringify(started.error));
const id: string = started.data.id;
assert.equal(started.response.status, 201);

const jobs = await api.POST("/api/v1/jobs/fetch", {
  body: { worker: "typescript", topics: ["send-letter"], limit: 10, waitSeconds: 5 },
});
const job = jobs.data?.find((job) => job.instance === id);
assert.ok(job && job.retries === 2 && job.variables["client"] === "Anna");
const completed = await api.POST("/api/v1/jobs/{id}/complete", {
  params: { path: { id: job.id } },
  body: { lease: job.lease, variables: { sent: true } },
});
assert.equal(completed.response.status, 204);

const found = await api.POST("/api/v1/instances/search", {
  body: { filter: { businessKey: "typescript", states: ["completed"] }, includeVariables: ["sent"] },
});
assert.deepEqual(found.data?.items.map((instance) => instance.variables?.["sent"]), [true]);

// Variables are set as they were seen, or not at all.
const other = await api.POST("/api/v1/instances", { body: { definition: "letter", variables: { client: "Boris" } } });
assert.ok(other.data);
const path = { id: other.data.id };
const seen = await api.GET("/api/v1/instances/{id}/variables", { params: { path } });
const header = { "if-match": seen.response.headers.get("etag") };
const change = { params: { path, header }, body: { client: "Vera" } };
const changed = await api.PATCH("/api/v1/instances/{id}/variables", change);
assert.equal(changed.response.status, 204);
const again = await api.PATCH("/api/v1/instances/{id}/variables", change);
assert.equal(again.error?.code, "variables-changed");

// What is wrong is said as the description has it.
const unknown = await api.GET("/api/v1/instances/{id}", { params: { path: { id: "5" } } });
assert.equal(unknown.error?.code, "instance-unknown");
assert.equal(unknown.error?.status, 404);
console.log("TypeScript: ok");
