-- What an import did, so that it can go on behind a crash and be taken back.

create table import (
    id bigint primary key,
    -- The day and a number, such as 2026-03-02-1.
    name text not null unique,
    list_id bigint not null,
    list_name text not null,
    file text not null,
    digest text not null,
    options text not null,
    status text not null,
    -- Rows of the file that are on record; a crashed import goes on behind them.
    rows_done bigint not null,
    -- Rows whose people are recognised; those behind are only of an import under way.
    rows_indexed bigint not null,
    outcomes text not null,
    report text,
    started_at bigint not null,
    finished_at bigint
);

create index import_digest on import (digest);

-- One line for each row that created or changed somebody.
create table import_row (
    import_id bigint not null,
    row_number bigint not null,
    prospect_id bigint not null,
    -- What was known before; null for somebody who is new.
    before text,
    before_company bigint,
    before_relationship text,
    before_import bigint,
    primary key (import_id, row_number)
)
-- sqlite: without rowid
;

-- People by how they are recognised, in place of `identity`: the first 63 bits of SHA-256 over kind and
-- value. A million people have five million of these; the texts themselves stand in `prospect`.
create table recognised (
    hash bigint primary key,
    prospect_id bigint not null
)
-- sqlite: without rowid
;

-- The import that made or last changed somebody.
alter table prospect add column changed_by bigint;
alter table company add column import_id bigint;
alter table list_member add column import_id bigint;

create index list_member_prospect on list_member (prospect_id);
-- How the columns of a kind of file were mapped by hand.
create table column_map (
    fingerprint text primary key,
    columns text not null,
    learned_at bigint not null
);
