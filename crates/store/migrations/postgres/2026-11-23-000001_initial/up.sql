-- The same tables as in SQLite, in the schema `cdn_broker`, which is the first of the search path.
-- Times are milliseconds since the epoch; JSON is text; "sealed" is written by the store's AES-256-GCM.

CREATE TABLE instances (
    id                  TEXT    NOT NULL PRIMARY KEY,
    incarnation         INTEGER NOT NULL CHECK (incarnation > 0),
    state               TEXT    NOT NULL CHECK (state IN
        ('provisioning', 'ready', 'provision_failed', 'deprovisioning', 'deprovision_failed', 'gone')),
    service_id          TEXT    NOT NULL,
    plan_id             TEXT    NOT NULL,
    organization        TEXT    NOT NULL,
    space               TEXT    NOT NULL,
    parameters          TEXT    NOT NULL,
    context             TEXT    NOT NULL,
    identity            TEXT,
    api_version         TEXT    NOT NULL,
    received_at         BIGINT  NOT NULL,
    settings            TEXT    NOT NULL,
    reference           TEXT    NOT NULL,
    distribution        TEXT,
    distribution_domain TEXT,
    -- Who may run steps of this instance's operations, on either track.
    lease_token         TEXT,
    lease_until         BIGINT,
    CHECK ((lease_token IS NULL) = (lease_until IS NULL))
);

-- How many there are of each: what is counted for those who watch is counted along an index.
CREATE INDEX instances_by_state ON instances (state);

CREATE TABLE operations (
    -- The order of arrival: two operations may begin in the same millisecond.
    seq        BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    instance   TEXT    NOT NULL REFERENCES instances (id),
    track      TEXT    NOT NULL CHECK (track IN ('user', 'renewal')),
    kind       TEXT    NOT NULL CHECK (kind IN ('provision', 'update', 'renew', 'deprovision', 'recreate')),
    state      TEXT    NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
    step       TEXT    NOT NULL,
    attempt    INTEGER NOT NULL,
    next_at    BIGINT  NOT NULL,
    step_since BIGINT  NOT NULL,
    started_at BIGINT  NOT NULL,
    sentence   TEXT,
    error      TEXT,
    -- The scope of the breaker that it waits for.
    waits_for  TEXT,
    -- What the request that has begun it is called in the log.
    request_identity TEXT,
    -- What an update makes of its instance, which takes it over only when the update has succeeded.
    new_settings      TEXT,
    new_plan_id       TEXT,
    new_parameters    TEXT,
    new_context       TEXT,
    sent_parameters   TEXT,
    identity          TEXT,
    needs_certificate BOOLEAN,
    invalidate        TEXT,
    CHECK ((kind = 'update') = (new_settings IS NOT NULL) AND (kind = 'update') = (new_plan_id IS NOT NULL)
        AND (kind = 'update') = (new_parameters IS NOT NULL) AND (kind = 'update') = (new_context IS NOT NULL)
        AND (kind = 'update') = (sent_parameters IS NOT NULL)
        AND (kind = 'update') = (needs_certificate IS NOT NULL) AND (kind = 'update') = (invalidate IS NOT NULL))
);

-- At most one operation runs on each track of an instance.
CREATE UNIQUE INDEX operations_running ON operations (instance, track) WHERE state = 'running';
-- What is due: a claim reads the head of this index, however many instances are idle.
CREATE INDEX operations_due ON operations (state, next_at, seq);
CREATE INDEX operations_of_instance ON operations (instance, track, seq);
-- What goes on when the operator has removed what was in its way.
CREATE INDEX operations_waiting ON operations (waits_for) WHERE waits_for IS NOT NULL;

CREATE TABLE operation_log (
    seq        BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation  TEXT    NOT NULL REFERENCES operations (id),
    step       TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    sentence   TEXT    NOT NULL,
    request_id TEXT,
    at         BIGINT  NOT NULL
);

CREATE INDEX operation_log_of_operation ON operation_log (operation, seq);

CREATE TABLE certificates (
    instance    TEXT    NOT NULL REFERENCES instances (id),
    incarnation INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    -- The names it was asked for; `names` below is what it says.
    requested   TEXT    NOT NULL,
    issuance    TEXT    NOT NULL,
    vault_name  TEXT    NOT NULL,
    stored      TEXT,
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'stored', 'live', 'retired', 'removed')),
    -- What the certificate says: all of it, or nothing before it is issued.
    serial      TEXT,
    fingerprint TEXT,
    not_before  BIGINT,
    not_after   BIGINT,
    names       TEXT,
    -- How the authority is asked about the renewal; not every certificate says enough for that.
    renewal_id  TEXT,
    -- The authority as it calls itself, for people.
    issuer      TEXT,
    -- Nobody has its private key: another broker has obtained it.
    keyless     BOOLEAN NOT NULL,
    PRIMARY KEY (instance, incarnation, generation),
    CHECK ((serial IS NULL) = (fingerprint IS NULL) AND (serial IS NULL) = (not_before IS NULL)
        AND (serial IS NULL) = (not_after IS NULL) AND (serial IS NULL) = (names IS NULL))
);

-- How many expire soon.
CREATE INDEX certificates_by_expiry ON certificates (state, not_after);

-- Whose a certificate is that the vault lists.
CREATE INDEX certificates_by_vault_name ON certificates (vault_name);

-- When the certificate that an instance serves is to be renewed.
CREATE TABLE renewals (
    instance     TEXT    NOT NULL PRIMARY KEY REFERENCES instances (id),
    incarnation  INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    window_from  BIGINT,
    window_until BIGINT,
    renew_at     BIGINT,
    check_at     BIGINT  NOT NULL,
    begun        INTEGER NOT NULL,
    warned       INTEGER NOT NULL,
    CHECK ((window_from IS NULL) = (window_until IS NULL) AND (window_from IS NULL) = (renew_at IS NULL))
);

-- What is due: certificates at rest are never read.
CREATE INDEX renewals_due ON renewals (check_at);

-- Which names instances have proven.
CREATE TABLE instance_domains (
    instance  TEXT    NOT NULL REFERENCES instances (id),
    name      TEXT    NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('proven', 'lapsed')),
    since     BIGINT  NOT NULL,
    inherited BOOLEAN NOT NULL, -- whether the records of an earlier broker stay good for it
    PRIMARY KEY (instance, name)
);

-- A name belongs to the first instance that proves it.
CREATE UNIQUE INDEX instance_domains_proven ON instance_domains (name) WHERE state = 'proven';

-- What is kept for the page of an instance: which links to it are good, and where its names led at the last look.
CREATE TABLE pages (
    instance   TEXT    NOT NULL PRIMARY KEY REFERENCES instances (id),
    generation INTEGER NOT NULL,
    seen_at    BIGINT,
    seen       TEXT,
    CHECK ((seen_at IS NULL) = (seen IS NULL))
);

-- What links and sessions are signed with.
CREATE TABLE page_keys (
    name TEXT NOT NULL PRIMARY KEY,
    key  TEXT NOT NULL -- sealed
);

-- Certificates that nobody needs and that the vault would not let go of.
CREATE TABLE sweeps (
    vault_name TEXT    NOT NULL PRIMARY KEY,
    instance   TEXT    NOT NULL,
    since      BIGINT  NOT NULL,
    next_at    BIGINT  NOT NULL,
    told       BOOLEAN NOT NULL
);

CREATE INDEX sweeps_due ON sweeps (next_at);

-- What the broker does by itself from time to time, and what it has found.
CREATE TABLE chores (
    name    TEXT   NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL,
    found   TEXT   NOT NULL
);

-- What is tried out from time to time: when next, by whom (until when at the latest), and how it stands.
CREATE TABLE checks (
    name          TEXT    NOT NULL PRIMARY KEY,
    next_at       BIGINT  NOT NULL,
    leased_until  BIGINT,
    runs          INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    failing_since BIGINT,
    told          BOOLEAN NOT NULL,
    version       INTEGER NOT NULL
);

-- The latest runs of each check; outcome and steps are JSON.
CREATE TABLE check_runs (
    name    TEXT    NOT NULL REFERENCES checks (name),
    number  INTEGER NOT NULL,
    began   BIGINT  NOT NULL,
    took    BIGINT  NOT NULL,
    outcome TEXT    NOT NULL,
    steps   TEXT    NOT NULL,
    PRIMARY KEY (name, number)
);

-- What checks remember from one run to the next.
CREATE TABLE check_notes (
    key  TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
);

-- What has gone wrong with single instances lately: the same with several tenants is an incident.
CREATE TABLE mishaps (
    class    TEXT   NOT NULL,
    instance TEXT   NOT NULL,
    tenant   TEXT   NOT NULL,
    side     TEXT   NOT NULL CHECK (side IN ('us', 'authority', 'aws', 'dns', 'tenant')),
    sentence TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (class, instance)
);

CREATE INDEX mishaps_at ON mishaps (at);

-- What the last look at the names of an instance has found wrong: JSON.
CREATE TABLE site_findings (
    instance TEXT NOT NULL PRIMARY KEY,
    found    TEXT NOT NULL
);

-- What was adopted from an earlier broker, and the operation that stands for its provision there.
CREATE TABLE imports (
    instance    TEXT   NOT NULL PRIMARY KEY REFERENCES instances (id),
    source      TEXT   NOT NULL,
    operation   TEXT   NOT NULL REFERENCES operations (id),
    imported_at BIGINT NOT NULL
);

-- What only the operator can remove, and what it stops.
CREATE TABLE breakers (
    scope      TEXT    NOT NULL PRIMARY KEY,
    since      BIGINT  NOT NULL,
    cause      TEXT    NOT NULL,
    probe_at   BIGINT  NOT NULL,
    probes     INTEGER NOT NULL,
    waited     INTEGER NOT NULL,
    gone_since BIGINT,
    told       BOOLEAN NOT NULL,
    tell_at    BIGINT,
    version    INTEGER NOT NULL
);

-- What the operator was told of.
CREATE TABLE incidents (
    id        TEXT    NOT NULL PRIMARY KEY,
    subject   TEXT    NOT NULL,
    message   TEXT    NOT NULL,
    side      TEXT    CHECK (side IN ('us', 'authority', 'aws', 'dns', 'tenant')),
    affected  TEXT    NOT NULL,
    opened_at BIGINT  NOT NULL,
    last_at   BIGINT  NOT NULL,
    raised    INTEGER NOT NULL,
    turns     INTEGER NOT NULL,
    closed_at BIGINT,
    version   INTEGER NOT NULL
);

-- Whatever is raised about a subject while this one is open is the same incident.
CREATE UNIQUE INDEX incidents_open ON incidents (subject) WHERE closed_at IS NULL;
CREATE INDEX incidents_by_age ON incidents (opened_at, id);

-- What is to be delivered to the operator and to users, and what has become of it.
CREATE TABLE deliveries (
    seq        BIGINT  NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    about      TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    target     TEXT    NOT NULL,
    notice     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    next_at    BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    ended_at   BIGINT,
    error      TEXT,
    UNIQUE (about, target, number),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);

CREATE INDEX deliveries_due ON deliveries (state, next_at);

CREATE TABLE issuances (
    id            TEXT    NOT NULL PRIMARY KEY,
    version       INTEGER NOT NULL,
    request       TEXT    NOT NULL,
    directory     TEXT    NOT NULL,
    private_key   TEXT, -- sealed
    csr           BYTEA,
    order_url     TEXT,
    order_expires BIGINT,
    orders_placed INTEGER NOT NULL,
    -- The account key that what the authorizations want was computed with.
    thumbprint    TEXT,
    presented     TEXT    NOT NULL,
    failure       TEXT,
    chain         TEXT,
    opened_at     BIGINT  NOT NULL,
    abandoned     BOOLEAN NOT NULL
);

CREATE TABLE authorizations (
    issuance       TEXT    NOT NULL REFERENCES issuances (id),
    position       INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    url            TEXT    NOT NULL,
    http_token     TEXT,
    http_answer    TEXT,
    dns_value      TEXT,
    method         TEXT CHECK (method IN ('managed_name', 'redirected', 'through_cdn', 'delegated', 'direct')),
    state          TEXT    NOT NULL CHECK (state IN ('open', 'answered', 'proven')),
    last_look_at   BIGINT,
    last_look_saw  TEXT,
    next_look      BIGINT,
    PRIMARY KEY (issuance, position),
    CHECK ((http_token IS NULL) = (http_answer IS NULL)),
    CHECK ((last_look_at IS NULL) = (last_look_saw IS NULL))
);

-- The authority asks for a token and says nothing else; a value that is taken away may be wanted by another issuance.
CREATE INDEX authorizations_by_token ON authorizations (http_token);
CREATE INDEX authorizations_by_value ON authorizations (dns_value);
CREATE INDEX authorizations_by_url ON authorizations (url);

-- Who has proven what an authorization is about. All tenants share one account at the authority, which gives valid
-- authorizations again to whoever uses it.
CREATE TABLE proof_credits (
    authorization_url TEXT NOT NULL PRIMARY KEY,
    tenant            TEXT NOT NULL
);

CREATE TABLE accounts (
    directory  TEXT   NOT NULL PRIMARY KEY,
    key        TEXT   NOT NULL, -- sealed
    url        TEXT,
    created_at BIGINT NOT NULL
);

-- The key that is to follow on that of an account, while it is being exchanged at the authority.
CREATE TABLE next_account_keys (
    directory TEXT NOT NULL PRIMARY KEY REFERENCES accounts (directory),
    key       TEXT NOT NULL -- sealed
);

-- How far an authority's limits are used up: by limit and what it limits, the moment at which nothing would be used.
CREATE TABLE ledger (
    key    TEXT   NOT NULL PRIMARY KEY,
    moment BIGINT NOT NULL
);
