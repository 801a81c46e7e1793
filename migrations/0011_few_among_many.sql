-- With the id at its end the index gives whom it finds in their order: many wake at the same moment, when
-- a morning begins, and need not be sorted for each mail.
drop index enrollment_due;
create index enrollment_due on enrollment (lane, lane_rank, wake_at, id) where lane is not null;

-- The few that are looked for among everybody who waits: whose mail is on its way, when a daemon starts,
-- and who waits for a rep to come back, every few minutes.
create index enrollment_sending on enrollment (id) where phase = 'sending' and lane is not null;
create index enrollment_owner_away on enrollment (owner) where waiting = 'owner_away' and lane is not null;
