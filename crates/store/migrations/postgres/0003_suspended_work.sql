-- Savepoints are held back with their instance, and one by one. Those of instances that are suspended already (2 is a savepoint) are from now on.
ALTER TABLE work ADD COLUMN suspended bigint NOT NULL DEFAULT 0;
UPDATE work SET suspended = 1 WHERE kind = 2 AND instance IN (SELECT "key" FROM instances WHERE suspended = 1);
DROP INDEX work_due;
CREATE INDEX work_due ON work (due, "key") WHERE suspended = 0;
