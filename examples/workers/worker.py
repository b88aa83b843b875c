"""A worker in Python, with nothing but the standard library: sends the letters of a process.

    python3 worker.py [http://127.0.0.1:8080]
"""
import json, sys, time, urllib.error, urllib.request

API = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080") + "/api/v1"


def post(path, body):
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(API + path, json.dumps(body).encode(), head)
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.loads(answer.read() or "null")


def send_letter(variables):
    print("Dear", variables["client"], flush=True)
    return {"sent": True}


def work(job):
    path = "/jobs/" + job["id"]
    try:
        post(path + "/complete", {"lease": job["lease"], "variables": send_letter(job["variables"])})
    except urllib.error.HTTPError as refused:  # Somebody else has it by now, or it is gone.
        print(json.load(refused)["detail"], file=sys.stderr)
    except Exception as error:  # It is handed out again; after the last try it becomes an incident.
        post(path + "/fail", {"lease": job["lease"], "message": repr(error)})


while True:
    try:
        for job in post("/jobs/fetch", {"worker": "python", "topics": ["send-letter"], "limit": 10, "waitSeconds": 30}):
            work(job)
    except OSError as error:
        print(error, file=sys.stderr)
        time.sleep(1)
