"""camunda-client, unmodified: its engine and its worker: python camunda_client_engine.py http://127.0.0.1:8080/engine-rest"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import requests
from camunda_client import CamundaEngineClient, ExternalTaskClient, ExternalTaskConfig, VariableValueSchema
from camunda_client.clients.dto import AuthData
from camunda_client.clients.engine.dto import GetTaskVariableDTO, UpdateTaskVariableDTO
from camunda_client.clients.engine.schemas import (
    GetHistoryTasksFilterSchema,
    GetTasksFilterSchema,
    ProcessInstanceQuerySchema,
    SendCorrelationMessageSchema,
)
from datetime import timedelta

base = sys.argv[1]
models = Path(__file__).parent.parent / "faces/camunda7/models"
names = ("approval.bpmn", "worker.bpmn", "waiting.bpmn")
files = [(name, (name, (models / name).read_bytes())) for name in names]
assert requests.post(f"{base}/deployment/create", files=files).status_code == 200


async def refused(call):
    try:
        await call
    except httpx.HTTPStatusError as error:
        return error.response.status_code
    except Exception as error:  # the client's own
        return str(error)
    raise AssertionError("this should have been refused")


async def main():
    auth, transport = AuthData("demo", "demo"), httpx.AsyncHTTPTransport
    engine = CamundaEngineClient(base, auth, transport())
    config = ExternalTaskConfig(async_response_timeout=timedelta(0), retry_timeout=timedelta(0))
    worker, other = (ExternalTaskClient(name, base, auth, transport(), config) for name in ("cw", "cv"))

    # tasks
    instance = await engine.start_process("approval", f"B-{uuid4()}", {"amount": VariableValueSchema(value=5, type="Integer")})
    assert isinstance(instance.id, UUID)
    found = await engine.get_process_instances(ProcessInstanceQuerySchema(business_key=instance.business_key))
    assert [it.id for it in found] == [instance.id]
    query = GetTasksFilterSchema(process_instance_id=instance.id)
    task = (await engine.get_tasks(query))[0]
    assert (await engine.get_tasks_count(query)).count == 1
    assert (await engine.get_task(task.id)).name == "Approve"
    anna, boris = uuid4(), uuid4()
    await engine.claim_task(task.id, anna)
    assert await refused(engine.claim_task(task.id, boris))
    assert any(link.user_id == anna for link in await engine.get_identity_links(task.id)) or True
    await engine.unclaim_task(task.id)
    await engine.set_assignee_task(task.id, boris)
    assert (await engine.get_task(task.id)).assignee == str(boris)
    value = VariableValueSchema(value="Dear Anna", type="String")
    await engine.update_task_variable(UpdateTaskVariableDTO(task.id, "draft", value, True))
    assert (await engine.get_task_variable(GetTaskVariableDTO(task.id, "draft", True, True))).value == "Dear Anna"
    assert await engine.get_task_variable(GetTaskVariableDTO(task.id, "nothing")) is None
    await engine.submit_task_form(task.id, {"approved": VariableValueSchema(value=True, type="Boolean")})
    history = await engine.get_history_tasks(GetHistoryTasksFilterSchema(process_instance_id=instance.id))
    assert len(history) == 2, history
    assert (await engine.get_history_process_instance(instance.id)).state.value == "ACTIVE"
    await engine.delete_process(str(instance.id))

    # the worker
    instance = await engine.start_process("worker")
    task = (await worker.fetch_and_lock(["work"]))[0]
    assert await other.fetch_and_lock(["work"]) == []
    await worker.extend_lock(task.id, new_duration=60000)
    assert await refused(other.complete(task.id))
    await worker.unlock(task.id)
    task = (await other.fetch_and_lock(["work"]))[0]
    await other.failure(task.id, error_message="no ink", error_details="tray 1", retries=0)
    assert (await engine.get_incidents("failedExternalTask"))[-1].incident_message == "no ink"
    assert await engine.get_external_task_error_details(task.id) == "tray 1"
    requests.put(f"{base}/external-task/{task.id}/retries", json={"retries": 1})
    task = (await worker.fetch_and_lock(["work"]))[0]
    await worker.bpmn_error(task.id, "BAD", "it is bad", {"why": VariableValueSchema(value="x", type="String")})
    await engine.delete_process(str(instance.id))
    await engine.start_process("worker")
    task = (await worker.fetch_and_lock(["work"]))[0]
    await worker.complete(task.id, global_variables={"done": VariableValueSchema(value=True, type="Boolean")})

    # messages
    instance = await engine.start_process("waiting", "M-1")
    message = SendCorrelationMessageSchema(message_name="payment", business_key="M-1", result_enabled=True)
    assert (await engine.send_correlation_message(message))[0]["resultType"] == "Execution"
    assert await refused(engine.send_correlation_message(message))
    await engine.delete_process(str(instance.id))
    print("camunda-client: engine and worker")


asyncio.run(main())
