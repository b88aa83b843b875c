"""The Python external-task client, unmodified, through all its verbs: python camunda7_python3.py http://127.0.0.1:8080/engine-rest"""

import sys
from pathlib import Path

import requests
from camunda.client.engine_client import EngineClient
from camunda.client.external_task_client import ExternalTaskClient
from camunda.external_task.external_task import ExternalTask
from camunda.external_task.external_task_worker import ExternalTaskWorker

base = sys.argv[1]
models = Path(__file__).parent.parent / "faces/camunda7/models"


def deploy(*names):
    files = [(name, (name, (models / name).read_bytes())) for name in names]
    answer = requests.post(f"{base}/deployment/create", data={"deployment-name": "clients"}, files=files)
    assert answer.status_code == 200, answer.text


def refused(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return str(error)
    raise AssertionError("this should have been refused")


deploy("worker.bpmn", "waiting.bpmn", "later.bpmn")
quick = {"asyncResponseTimeout": 0, "lockDuration": 60000, "maxTasks": 1}
engine, worker, other = EngineClient(base), ExternalTaskClient("w", base, quick), ExternalTaskClient("v", base, quick)

# the worker itself, in one round
started = engine.start_process("worker", {"amount": 5, "tags": ["a", "b"]}, business_key="C-1")
assert started["id"] in [it["id"] for it in engine.get_process_instance("worker")]
seen = []


def handle(task: ExternalTask):
    seen.append((task.get_variable("amount"), task.get_business_key()))
    return task.complete({"done": True})


ExternalTaskWorker("w", base, quick).fetch_and_execute("work", handle)
assert seen == [(5, "C-1")], seen
assert started["id"] not in [it["id"] for it in engine.get_process_instance("worker")]

# failure, an incident, retries
engine.start_process("worker", {})
task = worker.fetch_and_lock("work")[0]
assert other.fetch_and_lock("work") == []
refused(other.complete, task["id"], {})
assert worker.failure(task["id"], "no paper", "tray 1", 1, 0)
task = other.fetch_and_lock("work")[0]
assert task["retries"] == 1 and task["errorMessage"] == "no paper", task
refused(worker.complete, task["id"], {})
assert other.failure(task["id"], "no ink", None, 0, 0)
of = task["processInstanceId"]
assert len(requests.get(f"{base}/incident?processInstanceId={of}").json()) == 1
requests.put(f"{base}/external-task/{task['id']}/retries", json={"retries": 1})

# a BPMN error
task = worker.fetch_and_lock("work")[0]
assert worker.bpmn_failure(task["id"], "BAD", "it is bad", {"why": "x"})
mend = requests.get(f"{base}/task?processInstanceId={of}").json()
assert [task["taskDefinitionKey"] for task in mend] == ["mend"], mend
requests.post(f"{base}/task/{mend[0]['id']}/complete", json={})

# messages
engine.start_process("waiting", {"no": 1}, business_key="A")
results = engine.correlate_message("payment", business_key="A", process_variables={"sum": 3})
assert results[0]["resultType"] == "Execution", results
refused(engine.correlate_message, "payment")

# jobs
instance = engine.start_process("later", {})["id"]
jobs = engine.get_jobs(0, 10, process_instance_id=instance)
assert len(jobs) == 1 and jobs[0]["retries"] == 3, jobs
engine.set_job_retry(jobs[0]["id"], 2)

# binary variables
file = {"value": "aGVsbG8=", "type": "Bytes"}
requests.put(f"{base}/process-instance/{instance}/variables/file", json=file)
assert engine.get_process_instance_variable(instance, "file").strip() == "aGVsbG8="
print("camunda-external-task-client-python3: all verbs")
