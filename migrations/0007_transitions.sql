-- Every state in which an enrollment ever was. Append-only: nothing in the program updates or deletes a row
-- of it. A change of the waking time alone is no state, so revisions may be missing in between.
create table transition (
    enrollment_id bigint not null references enrollment (id),
    revision bigint not null,
    at bigint not null,
    state text not null,
    -- Null where it is as in the row before; the first row of an enrollment has them all.
    prospect_id bigint,
    mailbox_id text,
    owner text,
    digest text,
    primary key (enrollment_id, revision)
)
-- sqlite: without rowid
;

-- What was before this is not known: the log of older enrollments begins with where they stand.
insert into transition (enrollment_id, revision, at, state, prospect_id, mailbox_id, owner, digest)
select id, revision, coalesce(ended_at, enrolled_at), state, prospect_id, mailbox_id, owner, digest
from enrollment;
