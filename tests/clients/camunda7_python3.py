"""The Python external-task client, unmodified, through all its verbs: python camunda7_python3.py http://127.0.0.1:8080/engine-rest"""

import asyncio
import os
import sys
from pathlib import Path

import requests
from camunda.client.async_external_task_client import AsyncExternalTaskClient
from camunda.client.engine_client import EngineClient
from camunda.client.external_task_client import ExternalTaskClient
from camunda.external_task.external_task import ExternalTask
from camunda.external_task.external_task_worker import ExternalTaskWorker

base = sys.argv[1]
models = Path(__file__).parent.parent / "faces/camunda7/models"
api = requests.Session()
config = {"asyncResponseTimeout": 0, "lockDuration": 60000, "maxTasks": 1, "retries": 1, "retryTimeout": 0}
if auth := os.environ.get("POTOK_AUTH"):
    user, _, password = auth.partition(":")
    api.auth = (user, password)
    config["auth_basic"] = {"username": user, "password": password}


def deploy(*names):
    files = [(name, (name, (models / name).read_bytes())) for name in names]
    answer = api.post(f"{base}/deployment/create", data={"deployment-name": "clients"}, files=files)
    assert answer.status_code == 200, answer.text


def refused(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return str(error)
    raise AssertionError("this should have been refused")


def incidents(instance):
    return [it["incidentMessage"] for it in api.get(f"{base}/incident?processInstanceId={instance}").json()]


deploy("worker.bpmn", "waiting.bpmn", "later.bpmn")
engine = EngineClient(base, config)
worker, other = ExternalTaskClient("w", base, config), ExternalTaskClient("v", base, config)

# the worker itself: it completes, fails, and reports a BPMN error, each as its handler says
started = engine.start_process("worker", {"amount": 5, "tags": ["a", "b"], "note": None}, business_key="C-1")
assert started["id"] in [it["id"] for it in engine.get_process_instance("worker")]
assert [it["id"] for it in engine.get_process_instance("worker", ["note_eq_x"])] == []
seen = []


def completes(task: ExternalTask):
    seen.append((task.get_variable("amount"), task.get_business_key()))
    return task.complete({"done": True, "list": [1, {"a": None}]}, {"own": 1})


polled = ExternalTaskWorker("w", base, config)
polled.fetch_and_execute("work", completes)
assert seen == [(5, "C-1")], seen
assert started["id"] not in [it["id"] for it in engine.get_process_instance("worker")]
assert "no External Task found" in refused(polled.fetch_and_execute, "work", completes)
of = engine.start_process("worker", {})["id"]
polled.fetch_and_execute("work", lambda task: task.failure("no paper", "tray 1", 0, 0))
assert incidents(of) == ["no paper"]
api.delete(f"{base}/process-instance/{of}")
of = engine.start_process("worker", {})["id"]
polled.fetch_and_execute("work", lambda task: task.bpmn_error("BAD", "it is bad", {"why": "x"}))
assert [it["taskDefinitionKey"] for it in api.get(f"{base}/task?processInstanceId={of}").json()] == ["mend"]
api.delete(f"{base}/process-instance/{of}")

# the client alone: failure, an incident, retries; a second worker is refused
of = engine.start_process("worker", {"colour": "red"})["id"]
engine.start_process("worker", {"colour": "blue"})
task = worker.fetch_and_lock("work", {"colour": "red"}, ["colour"])[0]
assert task["processInstanceId"] == of and list(task["variables"]) == ["colour"], task
assert other.fetch_and_lock("work", {"colour": "red"}) == []
refused(other.complete, task["id"], {})
refused(other.failure, task["id"], "late", None, 0, 0)
refused(other.bpmn_failure, task["id"], "BAD", "late")
assert worker.failure(task["id"], "no paper", "tray 1", 1, 0)
task = other.fetch_and_lock("work", {"colour": "red"})[0]
assert task["retries"] == 1 and task["errorMessage"] == "no paper", task
refused(worker.complete, task["id"], {})
assert other.failure(task["id"], "no ink", None, 0, 0)
assert incidents(of) == ["no ink"]
assert worker.fetch_and_lock("work", {"colour": "red"}) == []
api.put(f"{base}/external-task/{task['id']}/retries", json={"retries": 1})
assert incidents(of) == []

# a BPMN error
task = worker.fetch_and_lock("work", {"colour": "red"})[0]
assert worker.bpmn_failure(task["id"], "BAD", "it is bad", {"why": "x"})
mend = api.get(f"{base}/task?processInstanceId={of}").json()
assert [task["taskDefinitionKey"] for task in mend] == ["mend"], mend
assert api.get(f"{base}/process-instance/{of}/variables/why").json()["value"] == "x"
api.post(f"{base}/task/{mend[0]['id']}/complete", json={})

# a lock that has run out: another has it, and who had it is refused from then on
quick = ExternalTaskClient("quick", base, config | {"lockDuration": 1})
slow = ExternalTaskClient("slow", base, config | {"asyncResponseTimeout": 10000})
task = quick.fetch_and_lock("work")[0]
assert slow.fetch_and_lock("work")[0]["id"] == task["id"]
refused(quick.complete, task["id"], {})
assert slow.complete(task["id"], {"done": True}, {"own": 1})
refused(slow.complete, task["id"], {})


# the same client, asynchronous
async def asynchronously():
    client = AsyncExternalTaskClient("a", base, config)
    of = engine.start_process("worker", {})["id"]
    task = (await client.fetch_and_lock("work"))[0]
    assert await client.failure(task["id"], "no paper", "tray 1", 1, 0)
    task = (await client.fetch_and_lock("work"))[0]
    assert await client.bpmn_failure(task["id"], "BAD", "it is bad")
    api.delete(f"{base}/process-instance/{of}")
    engine.start_process("worker", {})
    task = (await client.fetch_and_lock("work"))[0]
    assert await client.complete(task["id"], {"done": True})


asyncio.run(asynchronously())

# messages
of = engine.start_process("waiting", {"no": 1}, business_key="A")["id"]
results = engine.correlate_message("payment", business_key="A", process_variables={"sum": 3})
assert results[0]["resultType"] == "Execution", results
assert results[0]["execution"]["processInstanceId"] == of
refused(engine.correlate_message, "payment")
of = engine.start_process("waiting", {"no": 2})["id"]
assert engine.correlate_message("payment", process_instance_id=of)[0]["execution"]["processInstanceId"] == of

# jobs
instance = engine.start_process("later", {})["id"]
jobs = engine.get_jobs(0, 10, process_instance_id=instance)
assert len(jobs) == 1 and jobs[0]["retries"] == 3, jobs
engine.set_job_retry(jobs[0]["id"], 2)

# binary variables
file = {"value": "aGVsbG8=", "type": "Bytes"}
api.put(f"{base}/process-instance/{instance}/variables/file", json=file)
assert engine.get_process_instance_variable(instance, "file").strip() == "aGVsbG8="
assert engine.get_process_instance_variable(instance, "file", with_meta=True)["type"] == "Bytes"
api.delete(f"{base}/process-instance/{instance}")
print("camunda-external-task-client-python3: all verbs")
