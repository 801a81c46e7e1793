-- All tasks of an enrollment, not only the open one.
drop index task_of_enrollment;
create index task_of_enrollment on task (enrollment_id);
