-- The few that are looked for among everybody who waits: whose mail is on its way, when a daemon starts,
-- and who waits for a rep to come back, every few minutes.
create index enrollment_sending on enrollment (id) where phase = 'sending' and lane is not null;
create index enrollment_owner_away on enrollment (owner) where waiting = 'owner_away' and lane is not null;
