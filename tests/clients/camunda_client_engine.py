"""camunda-client, unmodified, through all its verbs: python camunda_client_engine.py http://127.0.0.1:8080/engine-rest"""

import asyncio
import os
import sys
from datetime import timedelta
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
from camunda_client.clients.engine.schemas.body import (
    HistoricProcessInstanceFilterSchema,
    HistoryVariableInstanceFilterSchema,
    UpdateProcessVariablesSchema,
    VariableInstanceFilterSchema,
)
from camunda_client.clients.engine.schemas.query import (
    HistoryVariableInstanceFilterParamsSchema,
    VariableInstanceFilterParamsSchema,
)
from camunda_client.clients.schemas import PaginationParams
from camunda_client.worker import ExternalTaskWorker

base = sys.argv[1]
models = Path(__file__).parent.parent / "faces/camunda7/models"
# It always signs in, also where nobody need.
user, _, password = (os.environ.get("POTOK_AUTH") or "demo:demo").partition(":")
api = requests.Session()
api.auth = (user, password)
names = ("approval.bpmn", "worker.bpmn", "waiting.bpmn")
files = [(name, (name, (models / name).read_bytes())) for name in names]
assert api.post(f"{base}/deployment/create", files=files).status_code == 200


def typed(value, kind):
    return VariableValueSchema(value=value, type=kind)


async def refused(call):
    try:
        await call
    except httpx.HTTPStatusError as error:
        return error.response.status_code
    except Exception as error:  # the client's own
        return str(error)
    raise AssertionError("this should have been refused")


async def tasks(engine):
    variables = {"amount": typed(5, "Integer"), "text": typed("x", "String"), "flag": typed(True, "Boolean")}
    instance = await engine.start_process("approval", f"B-{uuid4()}", variables)
    assert isinstance(instance.id, UUID)
    found = await engine.get_process_instances(ProcessInstanceQuerySchema(business_key=instance.business_key))
    assert [it.id for it in found] == [instance.id]
    query = GetTasksFilterSchema(process_instance_id=instance.id)
    task = (await engine.get_tasks(query))[0]
    assert (await engine.get_tasks_count(query)).count == 1
    assert await engine.get_tasks(query, PaginationParams(firstResult=1, maxResults=5)) == []
    assert (await engine.get_task(task.id)).name == "Approve"
    assert await engine.get_task(uuid4()) is None
    anna, boris = uuid4(), uuid4()
    await engine.claim_task(task.id, anna)
    assert await refused(engine.claim_task(task.id, boris))
    links = await engine.get_identity_links(task.id)
    assert [it.user_id for it in links if it.type == "assignee"] == [anna], links
    assert [it.group_id for it in links if it.type == "candidate"] == ["sales"], links
    await engine.unclaim_task(task.id)
    await engine.set_assignee_task(task.id, boris)
    assert (await engine.get_task(task.id)).assignee == str(boris)
    changed = (await engine.get_task(task.id)).model_copy(update={"priority": 90})
    await engine.update_task(task.id, schema=changed)
    assert (await engine.get_task(task.id)).priority == 90
    await engine.update_task_variable(UpdateTaskVariableDTO(task.id, "draft", typed("Dear Anna", "String"), True))
    assert (await engine.get_task_variable(GetTaskVariableDTO(task.id, "draft", True, True))).value == "Dear Anna"
    await engine.update_task_variable(UpdateTaskVariableDTO(task.id, "seen", typed(1, "Integer")))
    assert (await engine.get_typed_task_variable(GetTaskVariableDTO(task.id, "seen"), int)).value == 1
    assert await engine.get_task_variable(GetTaskVariableDTO(task.id, "nothing")) is None

    # variables, running and of the past
    change = UpdateProcessVariablesSchema(modifications={"amount": typed(7, "Integer")}, deletions=["text"])
    await engine.update_variable_instances(process_instance_id=instance.id, schema=change)
    own = await engine.get_variable_instances(VariableInstanceFilterParamsSchema(process_instance_id_in=[instance.id]))
    assert {it.name: it.value for it in own} == {"amount": 7, "flag": True, "seen": 1, "draft": "Dear Anna"}, own
    own = await engine.get_variable_instances_post(
        VariableInstanceFilterSchema(process_instance_id_in=[instance.id]), variable_name_in=["amount"]
    )
    assert [(it.name, it.value) for it in own] == [("amount", 7)]
    past = HistoryVariableInstanceFilterParamsSchema(process_instance_id=instance.id, variable_name="amount")
    assert [it.value for it in await engine.get_history_variable_instances(past)] == [7]
    past = HistoryVariableInstanceFilterSchema(process_instance_id=instance.id, variable_name_in=["flag", "seen"])
    assert sorted(it.name for it in await engine.get_history_variable_instances_post(past)) == ["flag", "seen"]

    await engine.submit_task_form(task.id, {"approved": typed(True, "Boolean")})
    assert await engine.get_task(task.id) is None
    assert await refused(engine.claim_task(task.id, anna))
    history = await engine.get_history_tasks(GetHistoryTasksFilterSchema(process_instance_id=instance.id))
    assert len(history) == 2, history
    assert (await engine.get_history_process_instance(instance.id)).state.value == "ACTIVE"
    await engine.delete_process(str(instance.id))
    assert (await engine.get_history_process_instance(instance.id)).state.value == "EXTERNALLY_TERMINATED"
    assert await engine.get_history_process_instance(uuid4()) is None
    filter_ = HistoricProcessInstanceFilterSchema(process_instance_business_key=instance.business_key)
    assert [it.id for it in await engine.get_history_process_instances(filter_)] == [instance.id]


async def work(engine, worker, other):
    instance = await engine.start_process("worker")
    task = (await worker.fetch_and_lock(["work"]))[0]
    assert (await engine.get_external_task(task.id)).worker_id == "cw"
    assert await engine.get_external_task(str(uuid4())) is None
    assert await engine.get_external_task_error_details(task.id) is None
    assert await other.fetch_and_lock(["work"]) == []
    await worker.extend_lock(task.id, new_duration=60000)
    assert await refused(other.complete(task.id))
    await worker.unlock(task.id)
    task = (await other.fetch_and_lock(["work"]))[0]
    await other.failure(task.id, error_message="no ink", error_details="tray 1", retries=0)
    assert (await engine.get_incidents("failedExternalTask"))[-1].incident_message == "no ink"
    assert await engine.get_external_task_error_details(task.id) == "tray 1"
    api.put(f"{base}/external-task/{task.id}/retries", json={"retries": 1})
    assert [it for it in await engine.get_incidents() if it.process_instance_id == instance.id] == []
    task = (await worker.fetch_and_lock(["work"]))[0]
    await worker.bpmn_error(task.id, "BAD", "it is bad", {"why": typed("x", "String")})
    await engine.delete_process(str(instance.id))

    # a lock that has run out
    instance = await engine.start_process("worker")
    quick = ExternalTaskConfig(async_response_timeout=timedelta(0), lock_duration=timedelta(milliseconds=1))
    quick = ExternalTaskClient("quick", base, AuthData(user, password), httpx.AsyncHTTPTransport(), quick)
    task = (await quick.fetch_and_lock(["work"]))[0]
    again = await other.fetch_and_lock(["work"], lock_timeout=timedelta(seconds=10))
    assert [it.id for it in again] == [task.id]
    assert await refused(quick.complete(task.id))
    await other.complete(task.id, global_variables={"done": typed(True, "Boolean")}, local_variables={"own": typed(1, "Integer")})
    assert await refused(other.complete(task.id))

    # the worker that polls: what its handler leaves undone has failed
    first, second = await engine.start_process("worker", "W-1"), await engine.start_process("worker", "W-2")
    polling = ExternalTaskWorker(worker, timedelta(milliseconds=20))
    done = 0
    async with polling, polling.subscribe("work") as consumer:
        async for context in consumer:
            try:
                async with context as task:
                    if task.process_instance_id == str(second.id):
                        raise ValueError("no ink")
                    await context.complete({"done": typed(True, "Boolean")})
            except ValueError:
                pass
            done += 1
            if done == 2:
                break
    assert (await engine.get_history_process_instance(first.id)).state.value == "COMPLETED"
    assert "ValueError" in [it.incident_message for it in await engine.get_incidents() if it.process_instance_id == second.id]
    await engine.delete_process(str(second.id))


async def messages(engine):
    instance = await engine.start_process("waiting", "M-1")
    message = SendCorrelationMessageSchema(message_name="payment", business_key="M-1", result_enabled=True)
    assert (await engine.send_correlation_message(message))[0]["resultType"] == "Execution"
    assert await refused(engine.send_correlation_message(message))
    await engine.delete_process(str(instance.id))
    await engine.start_process("waiting", "M-2")
    message = SendCorrelationMessageSchema(message_name="payment", business_key="M-2")
    assert await engine.send_correlation_message(message) is None


async def main():
    auth, transport = AuthData(user, password), httpx.AsyncHTTPTransport
    engine = CamundaEngineClient(base, auth, transport())
    config = ExternalTaskConfig(async_response_timeout=timedelta(0), retry_timeout=timedelta(0))
    worker, other = (ExternalTaskClient(name, base, auth, transport(), config) for name in ("cw", "cv"))
    await tasks(engine)
    await work(engine, worker, other)
    await messages(engine)
    print("camunda-client: all verbs")


asyncio.run(main())
