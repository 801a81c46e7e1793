//! The books as the port describes them: one read transaction, page by page.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::sync::Mutex;

use super::json::{self, timestamp, to_text};
use super::{Dialect, SqlStore, failed, get, rows};
use crate::domain::audit::{
    Book, Counts, EnrollmentRow, Finding, Mend, MilestoneRow, Rule, TaskRow, TouchRow,
    TransitionRow,
};
use crate::domain::budget::SendingDays;
use crate::domain::identity::Identity;
use crate::domain::ids::{EnrollmentId, ProspectId, TaskId, TouchId};
use crate::domain::log::Entry;
use crate::ports::{
    BlockRow, Bookkeeper, Books, ImportSums, InboundRow, MailboxRow, Oldest, Page, PersonRow,
    StoreError,
};

mod counts;
mod orphans;

/// Rows of which a finding names the first ones only.
const NAMED: usize = 20;

/// One snapshot of everything.
struct SqlBooks {
    dialect: Dialect,
    tx: Mutex<Transaction<'static, Any>>,
}

#[async_trait]
impl Bookkeeper for SqlStore {
    async fn books(&self) -> Result<Box<dyn Books>, StoreError> {
        let begun = match self.dialect {
            Dialect::Sqlite => self.readers.begin().await,
            Dialect::Postgres => {
                self.readers.begin_with("begin isolation level repeatable read read only").await
            }
        };
        let tx = Mutex::new(begun.map_err(failed("begin to read"))?);
        Ok(Box::new(SqlBooks { dialect: self.dialect, tx }))
    }

    async fn mend(&self, mends: &[Mend]) -> Result<(), StoreError> {
        super::mend::all(self, mends).await
    }

    async fn is_worked_on(&self, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query("select count(*) as n from lease where until_at > $1")
            .bind(now.as_millisecond())
            .fetch_one(&self.readers)
            .await
            .map_err(failed("read the leases"))?;
        Ok(get::<i64>(&row, "n")? > 0)
    }
}

/// A value that a statement is given.
enum Value {
    Number(i64),
    Text(String),
}

impl SqlBooks {
    async fn read(
        &self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let query = sqlx::query(AssertSqlSafe(sql.into()));
        let query = values.into_iter().fold(query, |query, value| match value {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
        });
        let mut tx = self.tx.lock().await;
        query.fetch_all(&mut **tx).await.map_err(failed("read the books"))
    }

    async fn number(&self, sql: &str) -> Result<i64, StoreError> {
        let rows = self.read(sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| get(row, "n"))
    }

    /// The rows behind an id; each has its own in `id`.
    async fn behind<T>(
        &self,
        sql: &'static str,
        table: &'static str,
        (after, limit): (i64, u32),
        convert: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let values = vec![Value::Number(after), Value::Number(i64::from(limit))];
        let found = self.read(sql, values).await?;
        let mut page = Page { rows: Vec::new(), last: None, unreadable: Vec::new() };
        for row in &found {
            let id: i64 = get(row, "id")?;
            page.last = Some(id);
            match convert(row) {
                Ok(converted) => page.rows.push(converted),
                Err(error) => page.unreadable.push(unreadable(format!("{table} {id}"), &error)),
            }
        }
        Ok(page)
    }

    /// Rows of a table that belong to enrollments from the first to the last.
    async fn of<T>(
        &self,
        sql: &'static str,
        (first, last): (i64, i64),
        convert: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<BTreeMap<i64, Vec<T>>, StoreError> {
        let found = self.read(sql, vec![Value::Number(first), Value::Number(last)]).await?;
        let mut all: BTreeMap<i64, Vec<T>> = BTreeMap::new();
        for row in &found {
            all.entry(get(row, "enrollment_id")?).or_default().push(convert(row)?);
        }
        Ok(all)
    }

    fn listed(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "(select cast(value as bigint) from json_each($1))",
            Dialect::Postgres => {
                "(select cast(value as bigint) from json_array_elements_text(cast($1 as json)))"
            }
        }
    }

    /// The log of these people, by enrollment.
    async fn entries(
        &self,
        people: &[i64],
        page: &mut Page<Book>,
    ) -> Result<BTreeMap<i64, Vec<Entry>>, StoreError> {
        let sql = format!(
            "select * from event where prospect_id in {} and enrollment_id is not null order by id",
            self.listed()
        );
        let mut all: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
        for row in &self.read(sql, vec![Value::Text(to_text(&people))]).await? {
            match rows::entry(row) {
                Ok(entry) => {
                    all.entry(get(row, "enrollment_id")?).or_default().push(entry);
                }
                Err(error) => {
                    let name = format!("event {}", get::<i64>(row, "id")?);
                    page.unreadable.push(unreadable(name, &error));
                }
            }
        }
        Ok(all)
    }
}

fn unreadable(row: String, error: &StoreError) -> Finding {
    Finding::new(Rule::Unreadable, row, error, "a row that this program reads")
}

#[async_trait]
impl Books for SqlBooks {
    async fn enrollments(&self) -> Result<u64, StoreError> {
        let n = self.number("select count(*) as n from enrollment").await?;
        Ok(u64::try_from(n).unwrap_or(0))
    }

    async fn page(&self, after: i64, limit: u32) -> Result<Page<Book>, StoreError> {
        let sql = "select * from enrollment where id > $1 order by id limit $2";
        let Page { rows, last, unreadable } =
            self.behind(sql, "enrollment", (after, limit), enrollment_row).await?;
        let mut page = Page { rows: Vec::new(), last, unreadable };
        let Some(last) = last else { return Ok(page) };
        let range = (after + 1, last);
        let mut transitions = self.of(TRANSITIONS, range, transition_row).await?;
        let mut touches = self.of(TOUCHES, range, touch_row).await?;
        let mut tasks = self.of(TASKS, range, task_row).await?;
        let mut milestones = self.of(MILESTONES, range, milestone_row).await?;
        let mut members = self.of(MEMBERS, range, member).await?;
        let mut people: Vec<i64> = rows.iter().map(|row| row.prospect.0).collect();
        people.extend(members.values().flatten().map(|(who, _)| who.0));
        people.extend(touches.values().flatten().map(|touch: &TouchRow| touch.prospect.0));
        people.extend(transitions.values().flatten().filter_map(|one| one.prospect).map(|id| id.0));
        people.sort_unstable();
        people.dedup();
        let mut entries = self.entries(&people, &mut page).await?;
        for row in rows {
            let id = row.id.0;
            page.rows.push(Book {
                row,
                transitions: filled(transitions.remove(&id).unwrap_or_default()),
                entries: entries.remove(&id).unwrap_or_default(),
                touches: touches.remove(&id).unwrap_or_default(),
                tasks: tasks.remove(&id).unwrap_or_default(),
                milestones: milestones.remove(&id).unwrap_or_default(),
                members: members.remove(&id).unwrap_or_default(),
            });
        }
        Ok(page)
    }

    async fn log(&self, after: i64, limit: u32) -> Result<Page<Entry>, StoreError> {
        let sql = "select * from event where id > $1 order by id limit $2";
        self.behind(sql, "event", (after, limit), rows::entry).await
    }

    async fn inbound(&self, after: i64, limit: u32) -> Result<Page<InboundRow>, StoreError> {
        let sql = "select * from inbound where id > $1 order by id limit $2";
        self.behind(sql, "inbound", (after, limit), inbound_row).await
    }

    async fn people(&self, after: i64, limit: u32) -> Result<Page<PersonRow>, StoreError> {
        let sql = "select * from prospect where id > $1 order by id limit $2";
        let convert = |row: &AnyRow| {
            Ok(PersonRow { prospect: rows::prospect(row)?, changed_by: get(row, "changed_by")? })
        };
        self.behind(sql, "prospect", (after, limit), convert).await
    }

    async fn recognised(
        &self,
        ways: &[Identity],
    ) -> Result<BTreeMap<Identity, ProspectId>, StoreError> {
        let hashes: Vec<i64> = ways.iter().map(|way| way.hash()).collect();
        let sql =
            format!("select hash, prospect_id from recognised where hash in {}", self.listed());
        let rows = self.read(sql, vec![Value::Text(to_text(&hashes))]).await?;
        let pair = |row| {
            let who = ProspectId(get(row, "prospect_id")?);
            Ok((Identity::from_hash(get(row, "hash")?), who))
        };
        rows.iter().map(pair).collect()
    }

    async fn blocks(&self) -> Result<Vec<BlockRow>, StoreError> {
        let sql =
            "select kind, value, cause, source, at from suppression order by kind, value, cause";
        let block = |row| {
            Ok(BlockRow {
                kind: get(row, "kind")?,
                value: get(row, "value")?,
                cause: get(row, "cause")?,
                source: get(row, "source")?,
                at: timestamp(get(row, "at")?),
            })
        };
        self.read(sql, Vec::new()).await?.iter().map(block).collect()
    }

    async fn budgets(&self, oldest: Oldest) -> Result<Vec<(String, i64, i64)>, StoreError> {
        let sql = "select scope, bucket, used from budget where bucket >= case \
             when scope like 'company:%' then $3 when scope like 'mailbox-hour:%' then $1 \
             else $2 end order by scope, bucket";
        let Oldest { hour, day, week } = oldest;
        let rows = self.read(sql, [hour, day, week].map(Value::Number).into()).await?;
        let budget = |row| Ok((get(row, "scope")?, get(row, "bucket")?, get(row, "used")?));
        rows.iter().map(budget).collect()
    }

    async fn mailboxes(&self) -> Result<Vec<MailboxRow>, StoreError> {
        let sql = "select id, sending_days, last_sending_day, resumed_days, next_send_at from mailbox \
             order by id";
        let mailbox = |row| {
            Ok(MailboxRow {
                id: get(row, "id")?,
                days: SendingDays {
                    before: u32::try_from(get::<i64>(row, "sending_days")?).unwrap_or(u32::MAX),
                    last: get(row, "last_sending_day")?,
                    resumed: get::<Option<i64>>(row, "resumed_days")?
                        .map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
                },
                next_send_at: get::<Option<i64>>(row, "next_send_at")?.map(timestamp),
            })
        };
        self.read(sql, Vec::new()).await?.iter().map(mailbox).collect()
    }

    async fn intents(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Page<(String, Timestamp)>, StoreError> {
        let sql = "select e.id, e.at, t.mailbox_id from event e join touch t on t.id = e.touch_id \
             where e.what = 'intended' and t.mailbox_id is not null and e.id > $1 \
             order by e.id limit $2";
        let intent = |row: &AnyRow| Ok((get(row, "mailbox_id")?, timestamp(get(row, "at")?)));
        self.behind(sql, "event", (after, limit), intent).await
    }

    async fn imports(&self) -> Result<Vec<ImportSums>, StoreError> {
        let rows = self.read(IMPORTS, Vec::new()).await?;
        let mut all = Vec::new();
        for row in &rows {
            let mut sums = import_sums(row)?;
            let listed = self.read(NOT_LISTED, vec![Value::Number(sums.id)]).await?;
            for row in &listed {
                sums.not_listed.insert(get(row, "prospect_id")?);
            }
            all.push(sums);
        }
        Ok(all)
    }

    async fn sequences(&self) -> Result<Vec<(String, Option<i64>, i64)>, StoreError> {
        let mut all = Vec::new();
        for kind in KINDS {
            let sql = format!(
                "select coalesce((select max(id) from {kind}), 0) as n, \
                 (select next from sequence where kind = '{kind}') as next"
            );
            for row in &self.read(sql, Vec::new()).await? {
                all.push((kind.to_owned(), get(row, "next")?, get(row, "n")?));
            }
        }
        Ok(all)
    }

    async fn orphans(&self) -> Result<Vec<Finding>, StoreError> {
        orphans::of(self).await
    }

    async fn entries_of_enrollments(&self) -> Result<u64, StoreError> {
        let sql = "select count(*) as n from event where enrollment_id is not null";
        Ok(u64::try_from(self.number(sql).await?).unwrap_or(0))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        counts::of(self).await
    }
}

/// Tables whose ids the store hands out.
const KINDS: [&str; 9] =
    ["prospect", "company", "list", "import", "enrollment", "touch", "task", "inbound", "event"];

const TRANSITIONS: &str = "select * from transition where enrollment_id >= $1 \
     and enrollment_id <= $2 order by enrollment_id, revision";

const TOUCHES: &str = "select t.*, p.known from touch t left join prospect p on p.id = t.prospect_id \
     where t.enrollment_id >= $1 and t.enrollment_id <= $2 order by t.id";

const TASKS: &str =
    "select * from task where enrollment_id >= $1 and enrollment_id <= $2 order by id";

const MILESTONES: &str = "select * from milestone where enrollment_id >= $1 \
     and enrollment_id <= $2 order by enrollment_id, milestone";

const MEMBERS: &str = "select * from account_member where enrollment_id >= $1 \
     and enrollment_id <= $2 order by enrollment_id, prospect_id";

const IMPORTS: &str = "select i.id, i.name, i.list_id, i.status, i.rows_done, i.rows_indexed, \
     i.outcomes, i.started_at, \
     (select count(*) from import_row r where r.import_id = i.id and r.before is null) as created, \
     (select count(*) from import_row r where r.import_id = i.id and r.before is not null) as changed, \
     (select count(*) from list l where l.id = i.list_id) as lists from import i order by i.id";

const NOT_LISTED: &str = "select r.prospect_id from import_row r join import i on i.id = r.import_id \
     where i.id = $1 and i.status = 'done' and not exists (select 1 from list_member m \
     where m.list_id = i.list_id and m.prospect_id = r.prospect_id) order by r.prospect_id limit 20";

fn enrollment_row(row: &AnyRow) -> Result<EnrollmentRow, StoreError> {
    Ok(EnrollmentRow {
        id: EnrollmentId(get(row, "id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        company: get(row, "company_id")?,
        cadence: get(row, "cadence_id")?,
        digest: get(row, "digest")?,
        profile: get(row, "profile_id")?,
        score: get(row, "score")?,
        owner: get(row, "owner")?,
        mailbox: get(row, "mailbox_id")?,
        phase: get(row, "phase")?,
        state: get(row, "state")?,
        revision: get(row, "revision")?,
        begun: get(row, "begun")?,
        lane: get(row, "lane")?,
        lane_rank: get(row, "lane_rank")?,
        has_wake: get::<Option<i64>>(row, "wake_at")?.is_some(),
        enrolled_at: timestamp(get(row, "enrolled_at")?),
        ended_at: get::<Option<i64>>(row, "ended_at")?.map(timestamp),
    })
}

fn transition_row(row: &AnyRow) -> Result<TransitionRow, StoreError> {
    let text: String = get(row, "state")?;
    Ok(TransitionRow {
        revision: get(row, "revision")?,
        at: timestamp(get(row, "at")?),
        state: json::state_from_text(&text).ok(),
        text,
        prospect: get::<Option<i64>>(row, "prospect_id")?.map(ProspectId),
        mailbox: get(row, "mailbox_id")?,
        owner: get(row, "owner")?,
        digest: get(row, "digest")?,
    })
}

/// What a row leaves out is as in the one before.
fn filled(mut rows: Vec<TransitionRow>) -> Vec<TransitionRow> {
    for at in 1..rows.len() {
        let (before, rest) = rows.split_at_mut(at);
        let (Some(before), Some(row)) = (before.last(), rest.first_mut()) else { continue };
        row.prospect = row.prospect.or(before.prospect);
        row.mailbox = row.mailbox.take().or_else(|| before.mailbox.clone());
        row.owner = row.owner.take().or_else(|| before.owner.clone());
        row.digest = row.digest.take().or_else(|| before.digest.clone());
    }
    rows
}

fn touch_row(row: &AnyRow) -> Result<TouchRow, StoreError> {
    let known: Option<String> = get(row, "known")?;
    let email = known.and_then(|text| json::known_from_text(&text).ok()?.email);
    Ok(TouchRow {
        id: TouchId(get(row, "id")?),
        prospect: ProspectId(get(row, "prospect_id")?),
        step: get(row, "step_id")?,
        attempt: get(row, "attempt")?,
        channel: get(row, "channel")?,
        status: get(row, "status")?,
        at: timestamp(get(row, "at")?),
        actor: get(row, "actor")?,
        outcome: get(row, "outcome")?,
        mailbox: get(row, "mailbox_id")?,
        came_back_at: get::<Option<i64>>(row, "came_back_at")?.map(timestamp),
        domain: email.map(|email| email.domain().to_owned()),
    })
}

fn task_row(row: &AnyRow) -> Result<TaskRow, StoreError> {
    Ok(TaskRow {
        id: TaskId(get(row, "id")?),
        kind: get(row, "kind")?,
        step: get(row, "step_id")?,
        attempt: get(row, "attempt")?,
        opened_at: timestamp(get(row, "opened_at")?),
        closed_at: get::<Option<i64>>(row, "closed_at")?.map(timestamp),
    })
}

fn milestone_row(row: &AnyRow) -> Result<MilestoneRow, StoreError> {
    Ok(MilestoneRow {
        milestone: get(row, "milestone")?,
        prospect: ProspectId(get(row, "prospect_id")?),
        touch: TouchId(get(row, "touch_id")?),
        at: timestamp(get(row, "at")?),
    })
}

fn member(row: &AnyRow) -> Result<(ProspectId, String), StoreError> {
    Ok((ProspectId(get(row, "prospect_id")?), get(row, "role")?))
}

fn inbound_row(row: &AnyRow) -> Result<InboundRow, StoreError> {
    Ok(InboundRow {
        id: get(row, "id")?,
        kind: get(row, "kind")?,
        prospect: get(row, "prospect_id")?,
        enrollment: get(row, "enrollment_id")?,
        touch: get(row, "touch_id")?,
        received_ms: get(row, "received_at")?,
        latency_ms: get(row, "latency_ms")?,
    })
}

fn import_sums(row: &AnyRow) -> Result<ImportSums, StoreError> {
    let outcomes: String = get(row, "outcomes")?;
    Ok(ImportSums {
        id: get(row, "id")?,
        name: get(row, "name")?,
        list: get(row, "list_id")?,
        status: get(row, "status")?,
        rows_done: get(row, "rows_done")?,
        rows_indexed: get(row, "rows_indexed")?,
        outcomes: json::from_text(&outcomes).unwrap_or_default(),
        started_at: timestamp(get(row, "started_at")?),
        created: get(row, "created")?,
        changed: get(row, "changed")?,
        has_list: get::<i64>(row, "lists")? > 0,
        not_listed: Default::default(),
    })
}
