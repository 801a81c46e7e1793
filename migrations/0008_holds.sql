-- Automatic work that was stopped until a person releases it. Rows stay: they say when a breaker was
-- last reset.
create table hold (
    scope text not null,
    cause text not null,
    note text not null,
    held_by text not null,
    held_at bigint not null,
    released_by text,
    released_at bigint,
    primary key (scope, cause, held_at)
);

create unique index hold_in_force on hold (scope, cause) where released_at is null;

-- What the breakers count.
create index touch_mailbox on touch (mailbox_id, at) where mailbox_id is not null;
