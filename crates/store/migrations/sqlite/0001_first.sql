-- The log. Rows are appended in the order of `position`; an instance's are found by the index.
CREATE TABLE log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    "transaction" INTEGER NOT NULL DEFAULT 0,
    instance INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    time INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    format INTEGER NOT NULL,
    events BLOB NOT NULL,
    envelope BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX log_key ON log (instance, seq);

CREATE TABLE snapshots (
    instance INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    format INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (instance, seq)
) STRICT;

-- What follows from the log. Absent text is empty, an absent key 0, an absent time the end of time.
CREATE TABLE instances (
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    process TEXT NOT NULL,
    business_key TEXT NOT NULL,
    tenant TEXT NOT NULL,
    parent INTEGER NOT NULL,
    initiator TEXT NOT NULL,
    started INTEGER NOT NULL,
    state INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    "unique" INTEGER NOT NULL,
    trace TEXT NOT NULL
) STRICT;
CREATE INDEX instances_active ON instances (process, "key") WHERE state = 0;
CREATE INDEX instances_business_key ON instances (business_key, "key");
CREATE INDEX instances_parent ON instances (parent);
CREATE INDEX instances_initiator ON instances (initiator, "key") WHERE initiator <> '';

CREATE TABLE tokens (
    instance INTEGER NOT NULL,
    token INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    node INTEGER NOT NULL,
    PRIMARY KEY (instance, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_node ON tokens (definition, node);

CREATE TABLE variables (
    instance INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    number REAL NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (instance, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX variables_value ON variables (name, kind, number, text);

CREATE TABLE tasks (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    process TEXT NOT NULL,
    node TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    assignee TEXT NOT NULL,
    owner TEXT NOT NULL,
    delegation INTEGER NOT NULL,
    candidate_users TEXT NOT NULL,
    candidate_groups TEXT NOT NULL,
    priority INTEGER NOT NULL,
    due INTEGER NOT NULL,
    follow_up INTEGER NOT NULL,
    form TEXT NOT NULL,
    lane TEXT NOT NULL,
    tenant TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    state INTEGER NOT NULL,
    ended INTEGER NOT NULL
) STRICT;
CREATE INDEX tasks_instance ON tasks (instance);
CREATE INDEX tasks_open ON tasks ("key") WHERE state = 0;
CREATE INDEX tasks_assignee ON tasks (assignee, state, "key") WHERE assignee <> '';
CREATE INDEX tasks_owner ON tasks (owner, "key") WHERE owner <> '';
CREATE INDEX tasks_open_due ON tasks (due, "key") WHERE state = 0;

CREATE TABLE candidates (
    instance INTEGER NOT NULL,
    task INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (instance, task, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX candidates_name ON candidates (kind, name);

CREATE TABLE jobs (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    process TEXT NOT NULL,
    node TEXT NOT NULL,
    topic TEXT NOT NULL,
    tenant TEXT NOT NULL,
    priority INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    error TEXT NOT NULL,
    details TEXT NOT NULL,
    counted INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    available INTEGER NOT NULL,
    worker TEXT NOT NULL,
    lease INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    trace TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_instance ON jobs (instance);
CREATE INDEX jobs_topic ON jobs (topic, priority DESC, "key") WHERE suspended = 0;

CREATE TABLE timers (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    process TEXT NOT NULL,
    node TEXT NOT NULL,
    due INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX timers_instance ON timers (instance);
CREATE INDEX timers_due ON timers (due, "key") WHERE suspended = 0;

CREATE TABLE subscriptions (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    name TEXT NOT NULL,
    correlation TEXT NOT NULL,
    business_key TEXT NOT NULL,
    tenant TEXT NOT NULL,
    started_by INTEGER NOT NULL,
    process TEXT NOT NULL,
    node TEXT NOT NULL
) STRICT;
CREATE INDEX subscriptions_instance ON subscriptions (instance);
CREATE INDEX subscriptions_name ON subscriptions (name, correlation, business_key, "key");

CREATE TABLE incidents (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    definition INTEGER NOT NULL,
    process TEXT NOT NULL,
    node TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    tenant TEXT NOT NULL,
    raised INTEGER NOT NULL,
    resolved INTEGER NOT NULL
) STRICT;
CREATE INDEX incidents_instance ON incidents (instance);
CREATE INDEX incidents_open ON incidents ("key") WHERE resolved = 9223372036854775807;

-- What must hold outside the log.
CREATE TABLE claims (
    tenant TEXT NOT NULL,
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    owner INTEGER NOT NULL,
    answer BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE units (
    unit INTEGER PRIMARY KEY,
    time INTEGER NOT NULL
) STRICT;

-- What is left to do.
CREATE TABLE work (
    instance INTEGER NOT NULL,
    "key" INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    due INTEGER NOT NULL,
    payload BLOB NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX work_instance ON work (instance);
CREATE INDEX work_due ON work (due, "key");

CREATE TABLE messages (
    "key" INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation TEXT NOT NULL,
    business_key TEXT NOT NULL,
    sender INTEGER NOT NULL,
    payload BLOB NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_name ON messages (name, "key");

CREATE TABLE batches (
    "key" INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    operation BLOB NOT NULL,
    author TEXT NOT NULL,
    tenant TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER NOT NULL
) STRICT;
CREATE INDEX batches_running ON batches ("key") WHERE state = 0;

CREATE TABLE batch_items (
    batch INTEGER NOT NULL,
    instance INTEGER NOT NULL,
    state INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    leased_until INTEGER NOT NULL,
    PRIMARY KEY (batch, instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_items_open ON batch_items (batch, instance) WHERE state = 0;

-- Who is told by HTTP what happens, and what they have not been told yet.
CREATE TABLE webhooks (
    "key" INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    secret BLOB NOT NULL,
    events TEXT NOT NULL,
    processes TEXT NOT NULL,
    tenant TEXT NOT NULL,
    author TEXT NOT NULL,
    created INTEGER NOT NULL,
    place TEXT NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;

CREATE TABLE deliveries (
    webhook INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    instance INTEGER NOT NULL,
    payload BLOB NOT NULL,
    created INTEGER NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    due INTEGER NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (webhook, "key")
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_key ON deliveries ("key");
CREATE INDEX deliveries_due ON deliveries (webhook, due, "key") WHERE state = 0;
CREATE INDEX deliveries_dead ON deliveries (due, "key") WHERE state = 1;

-- Who shares the database.
CREATE TABLE nodes (
    number INTEGER PRIMARY KEY,
    lease INTEGER NOT NULL,
    keys INTEGER NOT NULL,
    name TEXT NOT NULL,
    format INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;

-- What is deployed.
CREATE TABLE deployments (
    "key" INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    deployer TEXT NOT NULL,
    deployed INTEGER NOT NULL
) STRICT;

CREATE TABLE resources (
    deployment INTEGER NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (deployment, name)
) STRICT;
CREATE INDEX resources_content ON resources (content);

CREATE TABLE contents (
    content BLOB NOT NULL,
    chunk INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (content, chunk)
) STRICT;
CREATE INDEX contents_expires ON contents (expires);

CREATE TABLE definitions (
    "key" INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    tag TEXT NOT NULL,
    name TEXT NOT NULL,
    deployment INTEGER NOT NULL,
    resource TEXT NOT NULL,
    suspended INTEGER NOT NULL,
    ordinals BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX definitions_version ON definitions (tenant, kind, id, version);
CREATE INDEX definitions_deployment ON definitions (deployment);

-- People, and what they leave beside instances and tasks.
CREATE TABLE comments (
    instance INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    task INTEGER NOT NULL,
    author TEXT NOT NULL,
    written INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (instance, "key")
) STRICT;

CREATE TABLE attachments (
    instance INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    task INTEGER NOT NULL,
    author TEXT NOT NULL,
    attached INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    url TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content BLOB NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (instance, "key")
) STRICT;
CREATE INDEX attachments_content ON attachments (content);

-- Searches that people keep, to ask them again.
CREATE TABLE saved_searches (
    "key" INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    resource TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    query TEXT NOT NULL,
    properties TEXT NOT NULL
) STRICT;
CREATE INDEX saved_searches_owner ON saved_searches (owner);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    email TEXT NOT NULL
) STRICT;

CREATE TABLE "groups" (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL
) STRICT;

CREATE TABLE memberships (
    member TEXT NOT NULL,
    team TEXT NOT NULL,
    PRIMARY KEY (member, team)
) STRICT;
CREATE INDEX memberships_team ON memberships (team, member);

-- Who may do what.
CREATE TABLE grants (
    team TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (team, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE tenancies (
    member TEXT NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (member, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenancies_tenant ON tenancies (tenant, member);

-- What signing in checks. No secret stands here: passwords are hashed by argon2, the others by SHA-256.
CREATE TABLE passwords (
    member TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    secret BLOB NOT NULL PRIMARY KEY,
    member TEXT NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_member ON sessions (member);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE api_tokens (
    "key" INTEGER PRIMARY KEY,
    secret BLOB NOT NULL,
    name TEXT NOT NULL,
    member TEXT NOT NULL,
    roles TEXT NOT NULL,
    tenant TEXT NOT NULL,
    author TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_tokens_secret ON api_tokens (secret);
CREATE INDEX api_tokens_member ON api_tokens (member);

-- What was refused, and what was done to others or to the whole. Not derived from the log.
CREATE TABLE audit (
    "key" INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    token TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    tenant TEXT NOT NULL,
    allowed INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_author ON audit (author, "key");
CREATE INDEX audit_time ON audit (time);
