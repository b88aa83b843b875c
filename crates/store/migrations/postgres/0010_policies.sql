-- What operators have said of the savepoints and timers of a flow node, of those to come. An absent priority is the least there is.
CREATE TABLE due_policies (
    definition bigint NOT NULL,
    node text COLLATE "C" NOT NULL,
    kind bigint NOT NULL,
    held bigint NOT NULL,
    priority bigint NOT NULL,
    PRIMARY KEY (definition, node, kind)
);

-- Groups of tenants.
CREATE TABLE team_tenancies (
    team text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    PRIMARY KEY (team, tenant)
);
CREATE INDEX team_tenancies_tenant ON team_tenancies (tenant, team);

-- For how many days what has ended of a definition is kept, where operators have said so: absent is the least there is.
ALTER TABLE definitions ADD COLUMN history_days bigint NOT NULL DEFAULT (-9223372036854775808);

-- What is noted on incidents and records.
ALTER TABLE incidents ADD COLUMN annotation text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN annotation text COLLATE "C" NOT NULL DEFAULT '';
