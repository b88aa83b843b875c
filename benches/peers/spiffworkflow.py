"""Runs whole instances with SpiffWorkflow: a file's path on each line of input, instances per second on each of output."""

import sys
import time

from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

MOMENT = 0.1  # seconds

specifications = {}


def specification(path):
    """The process of a file, parsed once."""
    if path not in specifications:
        parser = BpmnParser()
        parser.add_bpmn_file(path)
        specifications[path] = parser.get_spec("process")
    return specifications[path]


def run(spec):
    """One whole instance; user tasks are completed one by one."""
    workflow = BpmnWorkflow(spec)
    workflow.do_engine_steps()
    while not workflow.is_completed():
        for task in workflow.get_tasks(state=TaskState.READY, manual=True):
            task.run()
        workflow.do_engine_steps()


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            spec = specification(line.strip())
            count, start = 0, time.thread_time()
            while time.thread_time() - start < MOMENT:
                run(spec)
                count += 1
            print(count / (time.thread_time() - start), flush=True)
        except Exception as problem:  # the bench prints a dash for what a peer cannot do
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
            print("unable", flush=True)


main()
