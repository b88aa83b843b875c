-- Variables of open tasks' own, so that tasks are found by them.
CREATE TABLE task_variables (
    instance bigint NOT NULL,
    task bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind bigint NOT NULL,
    number double precision NOT NULL,
    text text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, task, name)
);
CREATE INDEX task_variables_value ON task_variables (name, kind, number, text);

-- Of tasks that are open already the engine writes them when it starts: 8 is that work, which nobody else takes.
INSERT INTO work (instance, "key", kind, due, payload, leased_until, suspended)
SELECT 0, 0, 8, 0, '', 0, 1 WHERE EXISTS (SELECT 1 FROM tasks WHERE state = 0);
