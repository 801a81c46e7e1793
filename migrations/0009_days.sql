-- A rep's day: what is put off or promised, who stands in for whom, and who is away.
alter table task add column wakes_at bigint;
alter table task add column promised bigint not null default 0;
-- Whose task it is, while somebody else does it.
alter table task add column covers text;

-- Rows are only ended, never deleted.
create table absence (
    id bigint primary key,
    rep text not null,
    from_at bigint not null,
    until_at bigint not null,
    work text not null,
    cover text,
    noted_at bigint not null,
    noted_by text not null,
    ended_at bigint
);

create index absence_until on absence (until_at);
create index absence_rep on absence (rep, until_at);

-- What somebody did with tasks, the newest first: the last of it can be taken back.
create index event_deeds on event (actor, id) where what in ('task_done', 'task_snoozed', 'task_undone');
create index enrollment_owner on enrollment (owner) where lane is not null;
create index inbound_prospect on inbound (prospect_id, received_at);
