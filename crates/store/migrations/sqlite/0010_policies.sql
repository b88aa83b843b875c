-- What operators have said of the savepoints and timers of a flow node, of those to come. An absent priority is the least there is.
CREATE TABLE due_policies (
    definition INTEGER NOT NULL,
    node TEXT NOT NULL,
    kind INTEGER NOT NULL,
    held INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    PRIMARY KEY (definition, node, kind)
) STRICT, WITHOUT ROWID;

-- Groups of tenants.
CREATE TABLE team_tenancies (
    team TEXT NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (team, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_tenancies_tenant ON team_tenancies (tenant, team);

-- For how many days what has ended of a definition is kept, where operators have said so: absent is the least there is.
ALTER TABLE definitions ADD COLUMN history_days INTEGER NOT NULL DEFAULT -9223372036854775808;

-- What is noted on incidents and records.
ALTER TABLE incidents ADD COLUMN annotation TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN annotation TEXT NOT NULL DEFAULT '';
