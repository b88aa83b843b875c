#!/usr/bin/env python3
"""Holds the conversations of a folder with a real server, and writes down what it says: record.py URL FOLDER [NAME...]

For Camunda 7.24: record.py http://127.0.0.1:8080/engine-rest camunda7
For Flowable 7.1: record.py http://127.0.0.1:8080/external-job-api flowable
What is normalised, and how, crates/faces/tests/conversation.rs does likewise; see README.md.
"""

import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NOW = re.compile(r"202[5-7]-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\d(\+0000|Z)")
BASE = re.compile(r"^https?://[^/]+(?:/engine-rest|(?=/external-job-api/))")
TAKES = ("durationInMillis", "duration", "minimum", "maximum", "average", "period")
SAYS = ("exceptionMessage", "jobExceptionMessage", "failures")
EVER_ANOTHER = ("executionId", "activityInstanceId", "executionIds", "hostname")


def started(process, variables):
    """What starts a process of Flowable's."""
    def variable(name, value):
        return {"name": name, "value": value} | ({"type": "json"} if isinstance(value, (list, dict)) else {})

    return {"processDefinitionKey": process, "variables": [variable(*each) for each in variables.items()]}


def talks(text, folder):
    """The conversations in a file: [(title, [step])]."""
    found = []
    for line in text.splitlines():
        if line.startswith("== "):
            found.append((line[3:].strip(), []))
        elif not line.strip() or line.startswith("#"):
            continue
        elif not line.startswith(" "):
            words = line.split(" ", 2)
            step = {"keep": [], "parts": [], "type": None, "body": None, "only": False}
            if folder == "flowable" and words[0] == "deploy":
                step |= {"method": "POST", "path": "/process-api/repository/deployments", "setup": True}
                step["parts"] = [("file", words[1], None)]
            elif words[0] == "start":
                step |= {"method": "POST", "path": "/process-api/runtime/process-instances", "setup": True}
                step |= {"body": json.dumps(started(words[1], json.loads(words[2]))), "type": "application/json"}
            elif words[0] == "deploy":
                step |= {"method": "POST", "path": "/deployment/create"}
                step["parts"] = [("deployment-name", None, "talk")] + [(name, name, None) for name in line.split()[1:]]
            else:
                step |= {"method": words[0], "path": words[1]}
                if len(words) > 2:
                    step |= {"body": words[2], "type": "application/json"}
                elif words[0] in ("POST", "PUT"):
                    step |= {"body": "", "type": "application/json"}
            found[-1][1].append(step)
        else:
            step = found[-1][1][-1]
            word, _, rest = line.strip().partition(" ")
            if word == "keep":
                step["keep"].append(tuple(rest.split(" ")))
            elif word == "part":
                name, _, text = rest.partition(" ")
                step["parts"].append((name, None, text))
            elif word == "file":
                step["parts"].append((rest, rest, None))
            elif word == "upload":
                name, _, file = rest.partition(" ")
                step["parts"].append((name, file, None))
            elif word == "type":
                step["type"] = rest or None
            elif word == "body":
                step |= {"body": rest}
            elif word == "only":
                step["only"] = True
            elif word == "differs":
                pass  # Potok answers otherwise, for the reason that stands there.
            else:
                raise SystemExit(f"what is `{line}`?")
    return found


def filled(text, kept):
    for name in sorted(kept, key=len, reverse=True):
        text = text.replace("$" + name, kept[name])
    return text


def ask(base, folder, step, kept):
    headers, body = {}, None
    if step["parts"]:
        edge = "edge-of-a-part"
        headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
        body = b""
        for name, file, text in step["parts"]:
            content = (folder / "models" / file).read_bytes() if file else filled(text, kept).encode()
            of = f'; filename="{file}"\r\nContent-Type: application/octet-stream' if file else ""
            body += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"{of}\r\n\r\n'.encode() + content + b"\r\n"
        body += f"--{edge}--\r\n".encode()
    elif step["body"] is not None:
        body = filled(step["body"], kept).encode()
        if step["type"]:
            headers["Content-Type"] = step["type"]
    if step.get("setup"):
        base = base[: base.rindex("/")]
    request = urllib.request.Request(base + filled(step["path"], kept), body, headers, method=step["method"])
    if step["type"] is None and body is not None and not step["parts"]:
        request.add_unredirected_header("Content-type", "")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get("Content-Type"), answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("Content-Type"), answer.read()


def normal_text(text, kept):
    for name, value in kept.items():
        if text == value:
            return "$" + name
    return NOW.sub("<date>", UUID.sub("<id>", BASE.sub("", text)))


def normal(value, kept, name=None, keeps_order=False):
    if name in EVER_ANOTHER and value:
        return "<id>"
    if name in TAKES and value is not None:
        return "<time>"
    if name in SAYS and value:
        return "<text>"
    if isinstance(value, str):
        return normal_text(value, kept)
    if isinstance(value, dict):
        if value.get("incidentType") == "failedJob" and value.get("incidentMessage"):
            value = value | {"incidentMessage": "<text>"}
        return {normal_text(key, kept): normal(inner, kept, key) for key, inner in value.items()}
    if isinstance(value, list):
        items = [normal(inner, kept) for inner in value]
        return items if keeps_order else sorted(items, key=lambda item: json.dumps(item, sort_keys=True, ensure_ascii=False))
    return value


def point(value, pointer):
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else list(value)[0] if part == "*" else value[part]
    return value


def fact(step, status, kind, body, kept):
    if step.get("setup"):
        return {"status": 200} if status < 300 else {"status": status}
    if step["only"]:
        return {"status": status}
    if not body:
        return {"status": status}
    if kind != "application/json":
        return {"status": status, "type": kind, "text": normal_text(body.decode("utf-8", "replace"), kept)[:20000]}
    value = json.loads(body)
    for name, pointer in step["keep"]:
        kept[name] = point(value, pointer)
    if status >= 400 and isinstance(value, dict):
        value.pop("exception" if "exception" in value else "message", None)
        if "details" in value:
            value["details"] = sorted(value["details"])
    keeps_order = "sort" in step["path"] or "sort" in (step["body"] or "")
    return {"status": status, "type": kind, "body": normal(value, kept, keeps_order=keeps_order)}


def clean(base, folder):
    def plain(method, path, setup=False):
        step = {"method": method, "path": path, "parts": [], "body": None, "type": None, "setup": setup}
        return ask(base, None, step, {})[2]

    if folder == "flowable":
        deployments = "/process-api/repository/deployments"
        for deployment in json.loads(plain("GET", deployments, True))["data"]:
            plain("DELETE", f"{deployments}/{deployment['id']}?cascade=true", True)
        return
    for deployment in json.loads(plain("GET", "/deployment")):
        plain("DELETE", f"/deployment/{deployment['id']}?cascade=true&skipIoMappings=true&skipCustomListeners=true")
    for batch in json.loads(plain("GET", "/batch")):
        plain("DELETE", f"/batch/{batch['id']}?cascade=true")
    for task in json.loads(plain("GET", "/task")):
        plain("DELETE", f"/task/{task['id']}")
    for task in json.loads(plain("GET", "/history/task")):
        plain("DELETE", f"/history/task/{task['id']}")


def main():
    base, folder, chosen = sys.argv[1].rstrip("/"), Path(__file__).parent / sys.argv[2], sys.argv[3:]
    for file in sorted(folder.glob("*.talk")):
        if chosen and file.stem not in chosen:
            continue
        facts = {}
        for title, steps in talks(file.read_text(), folder.name):
            clean(base, folder.name)
            kept, said = {}, []
            for step in steps:
                try:
                    said.append(fact(step, *ask(base, folder, step, kept), kept))
                except Exception as error:
                    raise SystemExit(f"{file.name}: {title}: {step['method']} {step['path']}: {error!r}: {said[-1:]}")
            if title in facts:
                raise SystemExit(f"{file.name}: `{title}` twice")
            facts[title] = said
        clean(base, folder.name)
        with open(file.with_suffix(".json"), "w") as out:
            out.write("{\n" + ",\n".join(
                f"{json.dumps(title)}: [\n" + ",\n".join("  " + json.dumps(each, sort_keys=True, ensure_ascii=False) for each in said) + "\n]"
                for title, said in facts.items()) + "\n}\n")
        print(f"{file.stem}: {len(facts)} conversations")


main()
