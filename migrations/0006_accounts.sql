-- The people of an enrollment that covers a company. Its row in `enrollment` names the one whose turn it is.
create table account_member (
    enrollment_id bigint not null references enrollment (id),
    prospect_id bigint not null references prospect (id),
    role text not null,
    primary key (enrollment_id, prospect_id)
);
create index account_member_prospect on account_member (prospect_id);
