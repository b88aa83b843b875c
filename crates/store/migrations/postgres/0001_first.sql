-- The log.
CREATE TABLE log (
    instance bigint NOT NULL,
    seq bigint NOT NULL,
    unit bigint NOT NULL,
    time bigint NOT NULL,
    definition bigint NOT NULL,
    format bigint NOT NULL,
    events bytea NOT NULL,
    envelope bytea NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    "transaction" bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    PRIMARY KEY (instance, seq)
);
-- Readers of the feed remember both: positions are given out before, transactions at the end.
CREATE INDEX log_feed ON log ("transaction", position);

CREATE TABLE snapshots (
    instance bigint NOT NULL,
    seq bigint NOT NULL,
    definition bigint NOT NULL,
    format bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (instance, seq)
);

-- What follows from the log. Absent text is empty, an absent key 0, an absent time the end of time.
CREATE TABLE instances (
    "key" bigint PRIMARY KEY,
    definition bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    business_key text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    parent bigint NOT NULL,
    initiator text COLLATE "C" NOT NULL,
    started bigint NOT NULL,
    state bigint NOT NULL,
    suspended bigint NOT NULL,
    ended bigint NOT NULL,
    expires bigint NOT NULL,
    "unique" bigint NOT NULL,
    trace text COLLATE "C" NOT NULL
);
CREATE INDEX instances_active ON instances (process, "key") WHERE state = 0;
CREATE INDEX instances_business_key ON instances (business_key, "key");
CREATE INDEX instances_parent ON instances (parent);
CREATE INDEX instances_initiator ON instances (initiator, "key") WHERE initiator <> '';

CREATE TABLE tokens (
    instance bigint NOT NULL,
    token bigint NOT NULL,
    definition bigint NOT NULL,
    node bigint NOT NULL,
    PRIMARY KEY (instance, token)
);
CREATE INDEX tokens_node ON tokens (definition, node);

CREATE TABLE variables (
    instance bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    kind bigint NOT NULL,
    number double precision NOT NULL,
    text text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, name)
);
CREATE INDEX variables_value ON variables (name, kind, number, text);

CREATE TABLE tasks (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    definition bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    assignee text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    delegation bigint NOT NULL,
    candidate_users text COLLATE "C" NOT NULL,
    candidate_groups text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    due bigint NOT NULL,
    follow_up bigint NOT NULL,
    form text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    changed bigint NOT NULL,
    state bigint NOT NULL,
    ended bigint NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX tasks_key ON tasks ("key");
CREATE INDEX tasks_open ON tasks ("key") WHERE state = 0;
CREATE INDEX tasks_assignee ON tasks (assignee, state, "key") WHERE assignee <> '';
CREATE INDEX tasks_owner ON tasks (owner, "key") WHERE owner <> '';
CREATE INDEX tasks_open_due ON tasks (due, "key") WHERE state = 0;

CREATE TABLE candidates (
    instance bigint NOT NULL,
    task bigint NOT NULL,
    kind bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, task, kind, name)
);
CREATE INDEX candidates_name ON candidates (kind, name);

CREATE TABLE jobs (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    definition bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    priority bigint NOT NULL,
    retries bigint NOT NULL,
    error text COLLATE "C" NOT NULL,
    details text COLLATE "C" NOT NULL,
    counted bigint NOT NULL,
    suspended bigint NOT NULL,
    available bigint NOT NULL,
    worker text COLLATE "C" NOT NULL,
    lease bigint NOT NULL,
    leased_until bigint NOT NULL,
    trace text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX jobs_key ON jobs ("key");
CREATE INDEX jobs_topic ON jobs (topic, priority DESC, "key") WHERE suspended = 0;

CREATE TABLE timers (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    definition bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    due bigint NOT NULL,
    suspended bigint NOT NULL,
    leased_until bigint NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX timers_key ON timers ("key");
CREATE INDEX timers_due ON timers (due, "key") WHERE suspended = 0;

CREATE TABLE subscriptions (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    definition bigint NOT NULL,
    kind bigint NOT NULL,
    starts bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    correlation text COLLATE "C" NOT NULL,
    business_key text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    started_by bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX subscriptions_key ON subscriptions ("key");
CREATE INDEX subscriptions_name ON subscriptions (name, correlation, business_key, "key");

CREATE TABLE incidents (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    definition bigint NOT NULL,
    process text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    raised bigint NOT NULL,
    resolved bigint NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX incidents_key ON incidents ("key");
CREATE INDEX incidents_open ON incidents ("key") WHERE resolved = 9223372036854775807;

-- What must hold outside the log.
CREATE TABLE claims (
    tenant text COLLATE "C" NOT NULL,
    kind bigint NOT NULL,
    value text COLLATE "C" NOT NULL,
    owner bigint NOT NULL,
    answer bytea NOT NULL,
    expires bigint NOT NULL,
    PRIMARY KEY (tenant, kind, value)
);

CREATE TABLE units (
    unit bigint PRIMARY KEY,
    time bigint NOT NULL
);

-- What is left to do.
CREATE TABLE work (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    kind bigint NOT NULL,
    due bigint NOT NULL,
    payload bytea NOT NULL,
    leased_until bigint NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX work_key ON work ("key");
CREATE INDEX work_due ON work (due, "key");

CREATE TABLE messages (
    "key" bigint PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    correlation text COLLATE "C" NOT NULL,
    business_key text COLLATE "C" NOT NULL,
    sender bigint NOT NULL,
    payload bytea NOT NULL,
    created bigint NOT NULL,
    expires bigint NOT NULL
);
CREATE INDEX messages_name ON messages (name, "key");

CREATE TABLE batches (
    "key" bigint PRIMARY KEY,
    state bigint NOT NULL,
    operation bytea NOT NULL,
    author text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    ended bigint NOT NULL
);
CREATE INDEX batches_running ON batches ("key") WHERE state = 0;

CREATE TABLE batch_items (
    batch bigint NOT NULL,
    instance bigint NOT NULL,
    state bigint NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    leased_until bigint NOT NULL,
    PRIMARY KEY (batch, instance)
);
CREATE INDEX batch_items_open ON batch_items (batch, instance) WHERE state = 0;

-- Who is told by HTTP what happens, and what they have not been told yet.
CREATE TABLE webhooks (
    "key" bigint PRIMARY KEY,
    url text COLLATE "C" NOT NULL,
    secret bytea NOT NULL,
    events text COLLATE "C" NOT NULL,
    processes text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    author text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    place text COLLATE "C" NOT NULL,
    leased_until bigint NOT NULL
);

CREATE TABLE deliveries (
    webhook bigint NOT NULL,
    "key" bigint NOT NULL,
    event text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    instance bigint NOT NULL,
    payload bytea NOT NULL,
    created bigint NOT NULL,
    state bigint NOT NULL,
    tries bigint NOT NULL,
    due bigint NOT NULL,
    error text COLLATE "C" NOT NULL,
    PRIMARY KEY (webhook, "key")
);
CREATE INDEX deliveries_key ON deliveries ("key");
CREATE INDEX deliveries_due ON deliveries (webhook, due, "key") WHERE state = 0;
CREATE INDEX deliveries_dead ON deliveries (due, "key") WHERE state = 1;

-- Who shares the database.
CREATE TABLE nodes (
    number bigint PRIMARY KEY,
    lease bigint NOT NULL,
    keys bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    format bigint NOT NULL,
    leased_until bigint NOT NULL
);

-- What is deployed.
CREATE TABLE deployments (
    "key" bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    deployer text COLLATE "C" NOT NULL,
    deployed bigint NOT NULL
);

CREATE TABLE resources (
    deployment bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (deployment, name)
);
CREATE INDEX resources_content ON resources (content);

CREATE TABLE contents (
    content bytea NOT NULL,
    chunk bigint NOT NULL,
    expires bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (content, chunk)
);
CREATE INDEX contents_expires ON contents (expires);

CREATE TABLE definitions (
    "key" bigint PRIMARY KEY,
    kind bigint NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    tag text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    deployment bigint NOT NULL,
    resource text COLLATE "C" NOT NULL,
    suspended bigint NOT NULL,
    ordinals bytea NOT NULL
);
CREATE UNIQUE INDEX definitions_version ON definitions (tenant, kind, id, version);
CREATE INDEX definitions_deployment ON definitions (deployment);

-- People, and what they leave beside instances and tasks.
CREATE TABLE comments (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    task bigint NOT NULL,
    author text COLLATE "C" NOT NULL,
    written bigint NOT NULL,
    text text COLLATE "C" NOT NULL,
    PRIMARY KEY (instance, "key")
);

CREATE TABLE attachments (
    instance bigint NOT NULL,
    "key" bigint NOT NULL,
    task bigint NOT NULL,
    author text COLLATE "C" NOT NULL,
    attached bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    url text COLLATE "C" NOT NULL,
    media_type text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (instance, "key")
);
CREATE INDEX attachments_content ON attachments (content);

-- Searches that people keep, to ask them again.
CREATE TABLE saved_searches (
    "key" bigint PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    query text COLLATE "C" NOT NULL,
    properties text COLLATE "C" NOT NULL
);
CREATE INDEX saved_searches_owner ON saved_searches (owner);

CREATE TABLE users (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    family_name text COLLATE "C" NOT NULL,
    email text COLLATE "C" NOT NULL
);

CREATE TABLE "groups" (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL
);

CREATE TABLE memberships (
    member text COLLATE "C" NOT NULL,
    team text COLLATE "C" NOT NULL,
    PRIMARY KEY (member, team)
);
CREATE INDEX memberships_team ON memberships (team, member);

-- Who may do what.
CREATE TABLE grants (
    team text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    PRIMARY KEY (team, role)
);

CREATE TABLE tenancies (
    member text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    PRIMARY KEY (member, tenant)
);
CREATE INDEX tenancies_tenant ON tenancies (tenant, member);

-- What signing in checks. No secret stands here: passwords are hashed by argon2, the others by SHA-256.
CREATE TABLE passwords (
    member text COLLATE "C" NOT NULL PRIMARY KEY,
    hash text COLLATE "C" NOT NULL,
    changed bigint NOT NULL
);

CREATE TABLE sessions (
    secret bytea NOT NULL PRIMARY KEY,
    member text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    used bigint NOT NULL,
    expires bigint NOT NULL
);
CREATE INDEX sessions_member ON sessions (member);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE api_tokens (
    "key" bigint PRIMARY KEY,
    secret bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    member text COLLATE "C" NOT NULL,
    roles text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    author text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    expires bigint NOT NULL,
    used bigint NOT NULL
);
CREATE UNIQUE INDEX api_tokens_secret ON api_tokens (secret);
CREATE INDEX api_tokens_member ON api_tokens (member);

-- What was refused, and what was done to others or to the whole. Not derived from the log.
CREATE TABLE audit (
    "key" bigint PRIMARY KEY,
    time bigint NOT NULL,
    author text COLLATE "C" NOT NULL,
    token text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    allowed bigint NOT NULL,
    detail text COLLATE "C" NOT NULL
);
CREATE INDEX audit_author ON audit (author, "key");
CREATE INDEX audit_time ON audit (time);
