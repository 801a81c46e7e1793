-- Events that were told with a key: the same key counts once.
create table told_event (
    key text primary key,
    name text not null,
    prospect_id bigint not null references prospect (id),
    told_at bigint not null
);

-- People who newly are for a cadence that waits for a field, until they are taken in.
create table waiting_to_start (
    cadence_id text not null,
    prospect_id bigint not null references prospect (id),
    primary key (cadence_id, prospect_id)
);

create index waiting_to_start_prospect on waiting_to_start (prospect_id);
create index told_event_prospect on told_event (prospect_id);
