-- How many sending days a mailbox had had when it last began again behind a silence.
alter table mailbox add column resumed_days bigint;

-- What a network counts when the task is done: for each rep, what is open and what was done lately.
alter table task add column metered text;
create index task_metered on task (rep, closed_at) where metered is not null;

-- Whoever is under way, for each rep.
create index enrollment_begun_of on enrollment (owner) where lane is not null and begun = 1;

-- Each day of waiting counts as much as one point of the score: nobody waits for ever behind better ones.
update enrollment set lane_rank = case
    when 1000000 - score + enrolled_at / 86400000 - 20454 < 1 then 1
    else 1000000 - score + enrolled_at / 86400000 - 20454 end
where lane is not null and begun = 0 and enrolled_at / 86400000 > 20454;
