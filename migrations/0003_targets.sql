-- How soon a task should be done, where its step says so.
alter table task add column target_at bigint;
