-- The whole schema in the portable subset of SQLite and PostgreSQL: TEXT and BIGINT only.
-- Times are milliseconds since 1970 UTC, ids are small positive integers made by the application.

create table meta (
    key text primary key,
    value text not null
);

create table sequence (
    kind text primary key,
    next bigint not null
);

create table lease (
    name text primary key,
    holder text not null,
    until_at bigint not null,
    epoch bigint not null
);

create table cadence_version (
    digest text primary key,
    cadence_id text not null,
    files text not null,
    applied_at bigint not null
);

create table cadence_current (
    cadence_id text primary key,
    digest text not null references cadence_version (digest)
);

create table profile_version (
    digest text primary key,
    profile_id text not null,
    path text not null,
    body text not null,
    applied_at bigint not null
);

create table profile_current (
    profile_id text primary key,
    position bigint not null,
    digest text not null references profile_version (digest)
);

create table company (
    id bigint primary key,
    identity text not null unique,
    name text not null
);

create table prospect (
    id bigint primary key,
    company_id bigint references company (id),
    owner text not null,
    relationship text not null,
    known text not null
);

create table identity (
    kind text not null,
    value text not null,
    prospect_id bigint not null references prospect (id),
    primary key (kind, value)
);

create index identity_prospect on identity (prospect_id);

create table list (
    id bigint primary key,
    name text not null unique,
    digest text not null,
    row_count bigint not null,
    imported_at bigint not null,
    report text not null
);

create table list_member (
    list_id bigint not null references list (id),
    prospect_id bigint not null references prospect (id),
    primary key (list_id, prospect_id)
);

create table enrollment (
    id bigint primary key,
    prospect_id bigint not null references prospect (id),
    company_id bigint,
    cadence_id text not null,
    digest text not null references cadence_version (digest),
    profile_id text,
    profile_digest text,
    score bigint not null,
    owner text not null,
    mailbox_id text,
    phase text not null,
    state text not null,
    revision bigint not null,
    begun bigint not null,
    -- Null once it has ended.
    lane text,
    -- Follow-ups are 0 and go first; new people follow by score.
    lane_rank bigint,
    wake_at bigint,
    waiting text,
    enrolled_at bigint not null,
    ended_at bigint
);

create index enrollment_due on enrollment (lane, lane_rank, wake_at) where lane is not null;
create index enrollment_wake on enrollment (lane, wake_at) where lane is not null;
create unique index enrollment_once on enrollment (cadence_id, prospect_id) where lane is not null;
create index enrollment_prospect on enrollment (prospect_id);
create index enrollment_company on enrollment (company_id, cadence_id) where lane is not null;

create table touch (
    id bigint primary key,
    enrollment_id bigint not null references enrollment (id),
    prospect_id bigint not null,
    step_id text not null,
    attempt bigint not null,
    channel text not null,
    status text not null,
    at bigint not null,
    actor text not null,
    outcome text,
    mailbox_id text,
    message_id text unique,
    subject text,
    begins_thread bigint,
    template text,
    came_back_at bigint,
    -- Promise 1: at most one touch for each attempt of a step.
    unique (enrollment_id, step_id, attempt)
);

create index touch_prospect on touch (prospect_id, at);
create index touch_unsettled on touch (at) where status in ('intended', 'in_doubt', 'assumed_sent');

create table task (
    id bigint primary key,
    enrollment_id bigint not null references enrollment (id),
    prospect_id bigint not null,
    rep text not null,
    kind text not null,
    step_id text not null,
    attempt bigint not null,
    title text not null,
    body text not null,
    priority bigint not null,
    opened_at bigint not null,
    expires_at bigint not null,
    closed_at bigint
);

create index task_open on task (rep, priority, opened_at) where closed_at is null;
create index task_of_enrollment on task (enrollment_id) where closed_at is null;

create table suppression (
    kind text not null,
    value text not null,
    cause text not null,
    source text not null,
    at bigint not null,
    primary key (kind, value, cause)
);

create table budget (
    scope text not null,
    bucket bigint not null,
    used bigint not null,
    primary key (scope, bucket)
);

create table mailbox (
    id text primary key,
    cursor text,
    inbox_read_at bigint,
    waits_until bigint,
    waits_for text,
    next_send_at bigint,
    sending_days bigint not null,
    last_sending_day bigint
);

create table inbound (
    id bigint primary key,
    mailbox_id text not null,
    message_id text not null unique,
    kind text not null,
    reason text not null,
    from_address text not null,
    subject text not null,
    new_text text not null,
    prospect_id bigint,
    enrollment_id bigint,
    touch_id bigint,
    received_at bigint not null,
    latency_ms bigint
);

create index inbound_received on inbound (received_at);

create table milestone (
    enrollment_id bigint not null,
    milestone text not null,
    prospect_id bigint not null,
    touch_id bigint not null,
    at bigint not null,
    primary key (enrollment_id, milestone)
);

-- Append-only: nothing in the program updates or deletes a row of it.
create table event (
    id bigint primary key,
    at bigint not null,
    what text not null,
    prospect_id bigint,
    enrollment_id bigint,
    touch_id bigint,
    actor text not null,
    details text not null
);

create index event_prospect on event (prospect_id, id);
