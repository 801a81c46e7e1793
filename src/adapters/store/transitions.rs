//! Every state in which an enrollment was: written with the move itself, never changed.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::set::{Set, of_rows};
use super::{Dialect, SqlStore, failed, get, json};
use crate::domain::ids::{EnrollmentId, MailboxId, ProspectId, RepId};
use crate::ports::{EnrollmentRecord, StoreError, TransitionRecord};

type Tx = Transaction<'static, Any>;

/// Where somebody begins; `state` is the text that the enrollment's row holds.
pub(super) async fn put_first(
    tx: &mut Tx,
    record: &EnrollmentRecord,
    state: String,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into transition (enrollment_id, revision, at, state, prospect_id, mailbox_id, owner, \
         digest) values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(record.id.0)
    .bind(record.revision)
    .bind(record.enrolled_at.as_millisecond())
    .bind(state)
    .bind(record.prospect.0)
    .bind(record.mailbox.as_ref().map(|id| id.0.clone()))
    .bind(record.owner.0.clone())
    .bind(record.digest.clone())
    .execute(&mut **tx)
    .await
    .map_err(failed("write where somebody begins"))?;
    Ok(())
}

const NEXT: Set = Set {
    sql: of_rows!(
        "insert into transition (enrollment_id, revision, at, state, prospect_id, mailbox_id, digest, \
         owner) select e.id, e.revision + 1, cast(r.value ->> 14 as bigint), r.value ->> 3, \
         nullif(cast(r.value ->> 12 as bigint), e.prospect_id), nullif(r.value ->> 11, e.mailbox_id), \
         nullif(r.value ->> 10, e.digest), nullif(r.value ->> 13, e.owner) from",
        "cross join enrollment e where e.id = cast(r.value ->> 0 as bigint) \
         and e.revision = cast(r.value ->> 1 as bigint) and (e.state <> r.value ->> 3 \
         or nullif(cast(r.value ->> 12 as bigint), e.prospect_id) is not null \
         or nullif(r.value ->> 11, e.mailbox_id) is not null \
         or nullif(r.value ->> 10, e.digest) is not null \
         or nullif(r.value ->> 13, e.owner) is not null)"
    ),
    attempted: "write a transition",
};

/// Comes before the rows move: what is as it was is not written again, and a move of the waking time
/// alone is not written at all. The cells are those of [`super::write`].
pub(super) async fn put_next(
    dialect: Dialect,
    tx: &mut Tx,
    rows: Vec<Value>,
) -> Result<(), StoreError> {
    NEXT.run(dialect, tx, rows).await.map(drop)
}

/// A row of the table: what is null is as in the row before.
struct TransitionRow {
    revision: i64,
    at: i64,
    state: String,
    prospect: Option<i64>,
    mailbox: Option<String>,
    owner: Option<String>,
    digest: Option<String>,
}

fn transition_row(row: &AnyRow) -> Result<TransitionRow, StoreError> {
    Ok(TransitionRow {
        revision: get(row, "revision")?,
        at: get(row, "at")?,
        state: get(row, "state")?,
        prospect: get(row, "prospect_id")?,
        mailbox: get(row, "mailbox_id")?,
        owner: get(row, "owner")?,
        digest: get(row, "digest")?,
    })
}

impl TransitionRow {
    fn behind(
        self,
        enrollment: EnrollmentId,
        before: Option<&TransitionRecord>,
    ) -> Result<TransitionRecord, StoreError> {
        let missing = |column: &str| StoreError::Unknown {
            what: "a first transition",
            value: format!("{enrollment} without {column}"),
        };
        let unreadable = |value| StoreError::Unknown { what: "a transition's state", value };
        let prospect = self.prospect.map(ProspectId).or(before.map(|before| before.prospect));
        let owner = self.owner.map(RepId).or(before.map(|before| before.owner.clone()));
        let digest = self.digest.or(before.map(|before| before.digest.clone()));
        Ok(TransitionRecord {
            enrollment,
            revision: self.revision,
            at: json::timestamp(self.at),
            state: json::state_from_text(&self.state).map_err(unreadable)?,
            prospect: prospect.ok_or_else(|| missing("prospect"))?,
            mailbox: self.mailbox.map(MailboxId).or(before.and_then(|one| one.mailbox.clone())),
            owner: owner.ok_or_else(|| missing("owner"))?,
            digest: digest.ok_or_else(|| missing("digest"))?,
        })
    }
}

impl SqlStore {
    pub(super) async fn read_transitions_of(
        &self,
        enrollment: EnrollmentId,
    ) -> Result<Vec<TransitionRecord>, StoreError> {
        let sql = "select * from transition where enrollment_id = $1 order by revision";
        let mut all: Vec<TransitionRecord> = Vec::new();
        for row in self.all_by_id(sql, enrollment.0, transition_row).await? {
            all.push(row.behind(enrollment, all.last())?);
        }
        Ok(all)
    }
}
