"""Flowable's Python client for external workers, unmodified: python flowable_python.py http://127.0.0.1:8080"""

import sys
from pathlib import Path

import requests
from flowable.external_worker_client.engine_rest_variable import EngineRestVariable
from flowable.external_worker_client.flowable_rest_exception import FlowableRestException
from flowable.external_worker_client.restclient import FlowableExternalWorkerRestClient

base = sys.argv[1]
model = (Path(__file__).parent / "job.bpmn").read_bytes()
assert requests.post(f"{base}/engine-rest/deployment/create", files={"job": ("job.bpmn", model)}).status_code == 200
worker, other = (FlowableExternalWorkerRestClient(base, name) for name in ("pw", "pv"))


def start():
    body = {"variables": {"amount": {"value": 5}}}
    assert requests.post(f"{base}/engine-rest/process-definition/key/job/start", json=body).status_code == 200


def refused(status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except FlowableRestException as error:
        assert str(status) in str(error.__dict__) + str(error), error
        return
    raise AssertionError("this should have been refused")


start()
job = worker.acquire_jobs("flow", "PT1M")[0]
assert [(it.name, it.type, it.value) for it in job.variables] == [("amount", "integer", 5)]
assert job.lock_expiration_time is not None and job.create_time is not None
assert other.acquire_jobs("flow", "PT1M") == []
assert worker.get_job(job.id).lock_owner == "pw"
assert worker.list_jobs().total >= 1
refused(403, other.complete_job, job.id)
worker.complete_job(job.id, [EngineRestVariable("done", "boolean", True)])
refused(404, worker.complete_job, job.id)

start()
job = worker.acquire_jobs("flow", "PT1M")[0]
worker.fail_job(job.id, "no paper", "tray 1", 1, "PT0S")
job = other.acquire_jobs("flow", "PT1M")[0]
assert job.exception_message == "no paper"
other.job_with_bpmn_error(job.id, error_code="BAD")

start()
job = worker.acquire_jobs("flow", "PT1M")[0]
refused(400, worker.job_with_cmmn_terminate, job.id, [])
released = requests.post(f"{base}/external-job-api/unacquire/jobs/{job.id}", json={"workerId": "pw"})
assert released.status_code == 204
job = other.acquire_jobs("flow", "PT1M")[0]
assert requests.post(f"{base}/external-job-api/unacquire/jobs", json={"workerId": "pv"}).status_code == 204
job = worker.acquire_jobs("flow", "PT1M")[0]
worker.fail_job(job.id, "no ink", None, 0)
assert worker.acquire_jobs("flow", "PT1M") == []
print("flowable.external-worker-client: all verbs")
