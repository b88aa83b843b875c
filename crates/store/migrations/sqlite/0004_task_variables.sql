-- Variables of open tasks' own, so that tasks are found by them.
CREATE TABLE task_variables (
    instance INTEGER NOT NULL,
    task INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    number REAL NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (instance, task, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_variables_value ON task_variables (name, kind, number, text);

-- Of tasks that are open already the engine writes them when it starts: 8 is that work, which nobody else takes.
INSERT INTO work (instance, "key", kind, due, payload, leased_until, suspended)
SELECT 0, 0, 8, 0, x'', 0, 1 WHERE EXISTS (SELECT 1 FROM tasks WHERE state = 0);
