"""The API by a client that is generated from its description.

    PYTHONPATH=generated python client.py http://127.0.0.1:8080
"""
import sys

from potok_client import Client
from potok_client.api.batches import begin_batch, get_batch
from potok_client.api.instances import get_instance, get_variables, search_instances, set_variables, start_instance
from potok_client.api.jobs import complete_job, fetch_jobs
from potok_client.api.tasks import claim_task, complete_task, create_task, get_task
from potok_client.models import Fetch, Instance, JobCompletion, NewBatch, NewInstance, Problem, Variables

api = Client(base_url=sys.argv[1])

start = NewInstance.from_dict({"definition": "letter", "businessKey": "python", "variables": {"client": "Boris"}})
started = start_instance.sync(client=api, body=start)
assert isinstance(started, Instance), started

wanted = Fetch.from_dict({"worker": "python", "topics": ["send-letter"], "limit": 10, "waitSeconds": 5})
jobs = [job for job in fetch_jobs.sync(client=api, body=wanted) if job.instance == started.id]
assert len(jobs) == 1 and jobs[0].variables["client"] == "Boris", jobs
done = JobCompletion.from_dict({"lease": jobs[0].lease, "variables": {"sent": True}})
assert complete_job.sync_detailed(jobs[0].id, client=api, body=done).status_code == 204

ended = get_instance.sync(started.id, client=api)
assert ended.state.value == "completed" and ended.business_key == "python", ended

other = start_instance.sync(client=api, body=start)
# Variables are set as they were seen, or not at all.
seen = get_variables.sync_detailed(other.id, client=api)
assert seen.parsed["client"] == "Boris", seen
change = Variables.from_dict({"client": "Vera"})
expected = {"client": api, "body": change, "if_match": seen.headers["etag"]}
changed = set_variables.sync_detailed(other.id, **expected)
assert changed.status_code == 204, changed
again = set_variables.sync_detailed(other.id, **expected)
assert again.status_code == 412 and again.parsed.code == "variables-changed", again

given_up = {"operation": {"type": "cancel", "reason": "over"}, "instances": [other.id]}
begun = begin_batch.sync(client=api, body=NewBatch.from_dict(given_up))
assert get_batch.sync(begun.id, client=api).id == begun.id

unknown = get_instance.sync_detailed("5", client=api)
assert unknown.status_code == 404 and isinstance(unknown.parsed, Problem), unknown
assert unknown.parsed.code == "instance-unknown", unknown.parsed
print("Python: ok")
