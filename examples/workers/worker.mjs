// A worker in JavaScript, with nothing but what Node brings along: sends the letters of a process.
//
//     node worker.mjs [http://127.0.0.1:8080]
const API = (process.argv[2] ?? "http://127.0.0.1:8080") + "/api/v1";

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(API + path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw Object.assign(new Error(JSON.parse(text).detail), { status: answer.status });
  return text ? JSON.parse(text) : undefined;
}

async function sendLetter(variables) {
  if (!variables.client) throw new Error("nobody to write to");
  console.log("Dear", variables.client);
  return { sent: true };
}

async function work({ id, lease, variables }) {
  try {
    await post(`/jobs/${id}/complete`, { lease, variables: await sendLetter(variables) });
  } catch (error) {
    if (error.status) return console.error(error.message); // Somebody else has it by now, or it is gone.
    // It is handed out again; after the last try it becomes an incident.
    await post(`/jobs/${id}/fail`, { lease, message: String(error) });
  }
}

for (;;) {
  try {
    const jobs = await post("/jobs/fetch", { worker: "node", topics: ["send-letter"], limit: 10, waitSeconds: 30 });
    for (const job of jobs) await work(job);
  } catch (error) {
    console.error(error.message);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
