"""Flowable's Python client for external workers, unmodified, through all its verbs: python flowable_python.py http://127.0.0.1:8080"""

import os
import sys
import threading
from pathlib import Path

import requests
from flowable.external_worker_client import ExternalWorkerClient
from flowable.external_worker_client.engine_rest_variable import EngineRestVariable
from flowable.external_worker_client.flowable_rest_exception import FlowableRestException
from flowable.external_worker_client.restclient import FlowableExternalWorkerRestClient
from requests.auth import HTTPBasicAuth

base = sys.argv[1]
model = (Path(__file__).parent / "job.bpmn").read_bytes()
api, auth = requests.Session(), None
if given := os.environ.get("POTOK_AUTH"):
    user, _, password = given.partition(":")
    auth = HTTPBasicAuth(user, password)
    api.auth = auth
assert api.post(f"{base}/engine-rest/deployment/create", files={"job": ("job.bpmn", model)}).status_code == 200
worker, other = (FlowableExternalWorkerRestClient(base, name, auth) for name in ("pw", "pv"))


def start():
    body = {"variables": {"amount": {"value": 5}}}
    return api.post(f"{base}/engine-rest/process-definition/key/job/start", json=body).json()["id"]


def is_over(instance):
    return api.get(f"{base}/engine-rest/process-instance/{instance}").status_code == 404


def tasks(instance):
    return [it["taskDefinitionKey"] for it in api.get(f"{base}/engine-rest/task?processInstanceId={instance}").json()]


def incidents(instance):
    found = api.get(f"{base}/engine-rest/incident?processInstanceId={instance}").json()
    return [it["incidentMessage"] for it in found]


def refused(status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except FlowableRestException as error:
        assert str(status) in str(error.__dict__) + str(error), error
        return
    raise AssertionError("this should have been refused")


instance = start()
job = worker.acquire_jobs("flow", "PT1M")[0]
assert [(it.name, it.type, it.value) for it in job.variables] == [("amount", "integer", 5)]
assert job.lock_expiration_time is not None and job.create_time is not None
assert other.acquire_jobs("flow", "PT1M") == []
assert worker.get_job(job.id).lock_owner == "pw"
assert worker.list_jobs().total == 1
refused(403, other.complete_job, job.id)
refused(403, other.fail_job, job.id, "late")
refused(403, other.job_with_bpmn_error, job.id, error_code="BAD")
worker.complete_job(job.id, [EngineRestVariable("done", "boolean", True)])
refused(404, worker.complete_job, job.id)
refused(404, worker.get_job, job.id)
assert is_over(instance)

instance = start()
job = worker.acquire_jobs("flow", "PT1M")[0]
worker.fail_job(job.id, "no paper", "tray 1", 1, "PT0S")
job = other.acquire_jobs("flow", "PT1M")[0]
assert (job.exception_message, job.retries) == ("no paper", 1)
other.job_with_bpmn_error(job.id, [EngineRestVariable("why", "string", "x")], "BAD")
assert tasks(instance) == ["mendJob"]

instance = start()
job = worker.acquire_jobs("flow", "PT1M")[0]
refused(400, worker.job_with_cmmn_terminate, job.id, [])
released = api.post(f"{base}/external-job-api/unacquire/jobs/{job.id}", json={"workerId": "pw"})
assert released.status_code == 204
job = other.acquire_jobs("flow", "PT1M")[0]
refused(403, worker.complete_job, job.id)
assert api.post(f"{base}/external-job-api/unacquire/jobs", json={"workerId": "pv"}).status_code == 204
job = worker.acquire_jobs("flow", "PT1M")[0]
worker.fail_job(job.id, "no ink", None, 0)
assert worker.acquire_jobs("flow", "PT1M") == []
assert incidents(instance) == ["no ink"]
api.delete(f"{base}/engine-rest/process-instance/{instance}")

# a lock that has run out: another has it, and who had it is refused from then on
instance = start()
job = worker.acquire_jobs("flow", "PT0.001S")[0]
again = next(found for found in (other.acquire_jobs("flow", "PT1M") for _ in range(500)) if found)
assert again[0].id == job.id
refused(403, worker.complete_job, job.id)
other.complete_job(job.id)
assert is_over(instance)


def subscribed(result):
    """A subscription, as long as it takes to do one job: what the handler gives is done."""
    done = threading.Event()

    class Done:
        def __init__(self, work):
            self.work = work

        def execute(self, client):
            self.work.execute(client)
            done.set()

    client = ExternalWorkerClient(base, "ps", auth)
    subscription = client.subscribe("flow", lambda job, builder: Done(result(builder)), wait_period_seconds=0.05)
    assert done.wait(30)
    subscription.unsubscribe()


instance = start()
subscribed(lambda builder: builder.success().variable_string("note", "done").variable_int("count", 3)
           .variable_float("half", 0.5).variable_boolean("flag", True).variable_json("list", [1, {"a": None}]))
assert is_over(instance)
types = {it["name"]: it["type"] for it in api.get(f"{base}/engine-rest/history/variable-instance?processInstanceId={instance}").json()}
assert types == {"amount": "Integer", "note": "String", "count": "Integer", "half": "Double", "flag": "Boolean", "list": "Object"}, types
instance = start()
subscribed(lambda builder: builder.failure().error_message("no ink").retries(0))
assert incidents(instance) == ["no ink"]
api.delete(f"{base}/engine-rest/process-instance/{instance}")
instance = start()
subscribed(lambda builder: builder.bpmn_error().error_code("BAD").variable_string("why", "y"))
assert tasks(instance) == ["mendJob"]
print("flowable.external-worker-client: all verbs")
