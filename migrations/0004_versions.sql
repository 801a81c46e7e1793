-- Which version of its cadence made a touch or a task; not known of what is older than this.
alter table touch add column version text;
alter table task add column version text;

-- Every time that files were applied, also when an old version came back. Without a digest: the cadence
-- was taken out.
create table cadence_applied (
    cadence_id text not null,
    number bigint not null,
    digest text references cadence_version (digest),
    applied_at bigint not null,
    applied_by text not null,
    primary key (cadence_id, number)
);

insert into cadence_applied (cadence_id, number, digest, applied_at, applied_by)
select cadence_id, row_number() over (partition by cadence_id order by applied_at, digest),
    digest, applied_at, 'engine'
from cadence_version;
