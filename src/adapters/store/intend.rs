//! The guards of intents: checked and charged in the transaction that records them (engine.md, 3.5).
//!
//! Whatever the guards of all intents of a transaction have to know is read by one statement; what
//! follows from it is decided without the database, one intent after the other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Transaction};

use super::json::timestamp;
use super::set::{Set, of_rows};
use super::{Dialect, SqlStore, failed, get, query, rows};
use crate::domain::budget::{Cap, Used, Waiting};
use crate::domain::ids::{CompanyId, EnrollmentId, MailboxId, ProspectId, RepId};
use crate::ports::{Guards, Intent, LEASE_AT_MOST, MailboxGuard, StoreError};

type Tx = Transaction<'static, Any>;

/// How soon to look again at what is on hold; a release wakes it earlier.
const HOLD_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// How soon to look again at a mailbox whose inbox was not read.
const INBOX_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// How long a colleague waits before the company is counted again.
const COMPANY_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

/// Decides about each intent and charges those that are admitted; one answer for each, in their order.
pub(super) async fn admit(
    store: &SqlStore,
    tx: &mut Tx,
    asked: &[&Guards],
) -> Result<Vec<Intent>, StoreError> {
    if store.dialect == Dialect::Postgres {
        lock(tx, asked).await?;
    }
    let questions = asked.iter().flat_map(|guards| questions(guards));
    let questions: BTreeSet<String> = questions.map(|question| question.to_string()).collect();
    let questions = format!("[{}]", questions.into_iter().collect::<Vec<_>>().join(","));
    let answers = sqlx::query(store.dialect.pick(FACTS))
        .bind(questions)
        .fetch_all(&mut **tx)
        .await
        .map_err(failed("read the guards"))?;
    let mut facts = Facts::default();
    for answer in &answers {
        facts.take(answer)?;
    }
    let intents: Vec<Intent> = asked.iter().map(|guards| facts.admit(guards)).collect();
    let admitted: Vec<&Guards> = asked
        .iter()
        .zip(&intents)
        .filter(|(_, intent)| **intent == Intent::Committed)
        .map(|(guards, _)| *guards)
        .collect();
    charge(store.dialect, tx, &admitted).await?;
    Ok(intents)
}

/// Every guard, as far as the database knows anything about it. What a row means depends on its first
/// column; see [`Facts::take`].
const FACTS: super::Fork = of_rows!(
    "with asked as (select r.value ->> 0 as what, r.value ->> 1 as name, r.value ->> 2 as word, \
       cast(r.value ->> 3 as bigint) as n, cast(r.value ->> 4 as bigint) as m from",
    ") \
     select 'hold' as what, scope as name, cause as word, held_at as a, held_at as b, held_at as c \
       from hold where released_at is null \
     union all select 'lease', l.name, '', l.epoch, l.until_at, 0 \
       from asked cross join lease l where asked.what = 'lease' and l.name = asked.name \
     union all select 'block', s.value, s.kind, 0, 0, 0 \
       from asked cross join suppression s \
       where asked.what = 'block' and s.kind = asked.word and s.value = asked.name \
     union all select 'away', a.rep, '', a.until_at, a.ended_at, 0 \
       from asked cross join absence a where asked.what = 'away' and a.rep = asked.name \
       and a.work = 'hold' and a.until_at > asked.n and a.from_at <= asked.n \
       and (a.ended_at is null or a.ended_at > asked.n) \
     union all select 'mailbox', b.id, b.waits_for, b.inbox_read_at, b.waits_until, b.next_send_at \
       from asked cross join mailbox b where asked.what = 'mailbox' and b.id = asked.name \
     union all select 'quiet', '', '', asked.n, asked.m, (select max(t.at) from touch t \
         where t.prospect_id = asked.n and t.enrollment_id <> asked.m and t.channel <> 'task' \
         and t.status not in ('retryable', 'refused', 'taken_back')) \
       from asked where asked.what = 'quiet' \
     union all select 'company', '', '', asked.n, asked.m, (select count(*) from enrollment e \
         where e.company_id = asked.n and e.id <> asked.m and e.lane is not null and e.begun = 1) \
       from asked where asked.what = 'company' \
     union all select 'cap', u.scope, '', u.bucket, u.used, 0 \
       from asked cross join budget u where asked.what = 'cap' and u.scope = asked.name \
       and u.bucket >= asked.n"
);

/// What is asked for one intent: rows of [`FACTS`].
fn questions(guards: &Guards) -> Vec<Value> {
    let mut asked = Vec::new();
    if let Some((name, _)) = &guards.lease {
        asked.push(json!(["lease", name]));
    }
    for subject in &guards.subjects {
        asked.push(json!(["block", subject.value(), subject.kind()]));
    }
    if let Some(owner) = &guards.owner {
        asked.push(json!(["away", owner.0, null, guards.now.as_millisecond()]));
    }
    if let Some(guard) = &guards.mailbox {
        asked.push(json!(["mailbox", guard.mailbox.0]));
    }
    if let Some((prospect, enrollment, _)) = &guards.quiet {
        asked.push(json!(["quiet", null, null, prospect.0, enrollment.0]));
    }
    if let Some((company, enrollment, _)) = &guards.company {
        asked.push(json!(["company", null, null, company.0, enrollment.0]));
    }
    for cap in &guards.caps {
        asked.push(json!(["cap", cap.scope, null, cap.oldest_bucket(guards.now).max(0)]));
    }
    asked
}

/// What the database knows of a mailbox.
struct MailboxFacts {
    waits: Option<(Waiting, Timestamp)>,
    inbox_read_at: Option<Timestamp>,
    next_send_at: Option<Timestamp>,
}

/// What the database knows about the guards of some intents.
#[derive(Default)]
struct Facts {
    held: BTreeSet<String>,
    /// Epoch, and until when.
    leases: BTreeMap<String, (i64, Timestamp)>,
    /// Kind and value.
    blocked: BTreeSet<(String, String)>,
    away: BTreeMap<RepId, Timestamp>,
    mailboxes: BTreeMap<MailboxId, MailboxFacts>,
    /// The last touch of a person by another enrollment.
    touched: BTreeMap<(ProspectId, EnrollmentId), Timestamp>,
    /// How many others at a company are under way.
    begun: BTreeMap<(CompanyId, EnrollmentId), u64>,
    used: BTreeMap<String, BTreeMap<i64, u32>>,
}

impl Facts {
    fn take(&mut self, row: &AnyRow) -> Result<(), StoreError> {
        let (what, name): (String, String) = (get(row, "what")?, get(row, "name")?);
        let number = |column| get::<Option<i64>>(row, column);
        let at = |column| Ok::<_, StoreError>(number(column)?.map(timestamp));
        let (a, b) = (number("a")?, number("b")?);
        match what.as_str() {
            "hold" => drop(self.held.insert(name)),
            "lease" => {
                let lease = (a.unwrap_or_default(), timestamp(b.unwrap_or_default()));
                self.leases.insert(name, lease);
            }
            "block" => drop(self.blocked.insert((get(row, "word")?, name))),
            "away" => {
                let until = a.map(|until| b.map_or(until, |ended| ended.min(until)));
                if let Some(until) = until.map(timestamp) {
                    let latest = self.away.entry(RepId(name)).or_insert(until);
                    *latest = (*latest).max(until);
                }
            }
            "mailbox" => {
                let word: Option<String> = get(row, "word")?;
                let reason = word.map_or(Ok(Waiting::MailboxDown), |word| rows::waiting(&word))?;
                let facts = MailboxFacts {
                    waits: at("b")?.map(|until| (reason, until)),
                    inbox_read_at: at("a")?,
                    next_send_at: at("c")?,
                };
                self.mailboxes.insert(MailboxId(name), facts);
            }
            "quiet" => {
                if let (Some(prospect), Some(enrollment), Some(touched)) = (a, b, at("c")?) {
                    self.touched.insert((ProspectId(prospect), EnrollmentId(enrollment)), touched);
                }
            }
            "company" => {
                if let (Some(company), Some(enrollment), Some(n)) = (a, b, number("c")?) {
                    let n = u64::try_from(n).unwrap_or(u64::MAX);
                    self.begun.insert((CompanyId(company), EnrollmentId(enrollment)), n);
                }
            }
            "cap" => {
                let count = u32::try_from(b.unwrap_or_default()).unwrap_or(u32::MAX);
                self.used.entry(name).or_default().insert(a.unwrap_or_default(), count);
            }
            _ => {
                return Err(StoreError::Unknown { what: "a guard", value: what });
            }
        }
        Ok(())
    }

    /// Whether an intent may be recorded now, cheapest to refuse first. What it uses of a cap counts for
    /// those that are asked behind it.
    fn admit(&mut self, guards: &Guards) -> Intent {
        if !self.has_lease(guards) {
            return Intent::NotOurs;
        }
        if guards.holds.iter().any(|scope| self.held.contains(&scope.text())) {
            let until = guards.now + HOLD_RETRY;
            return Intent::Wait { reason: Waiting::OnHold, until };
        }
        let subjects = guards.subjects.iter();
        let mut subjects = subjects.map(|subject| (subject.kind().to_owned(), subject.value()));
        if subjects.any(|subject| self.blocked.contains(&subject)) {
            return Intent::Blocked;
        }
        let wait = self
            .owner_waits(guards)
            .or_else(|| self.mailbox_waits(guards))
            .or_else(|| self.person_waits(guards))
            .or_else(|| self.company_waits(guards))
            .or_else(|| self.cap_waits(guards));
        if let Some((reason, until)) = wait {
            return Intent::Wait { reason, until };
        }
        for cap in &guards.caps {
            let used = self.used.entry(cap.scope.clone()).or_default();
            *used.entry(cap.bucket(guards.now)).or_default() += 1;
        }
        Intent::Committed
    }

    fn has_lease(&self, guards: &Guards) -> bool {
        guards.lease.as_ref().is_none_or(|(name, epoch)| {
            let lease = self.leases.get(name);
            lease.is_some_and(|(current, until)| current == epoch && *until > guards.now)
        })
    }

    fn owner_waits(&self, guards: &Guards) -> Option<(Waiting, Timestamp)> {
        let until = self.away.get(guards.owner.as_ref()?)?;
        Some((Waiting::OwnerAway, *until))
    }

    fn mailbox_waits(&self, guards: &Guards) -> Option<(Waiting, Timestamp)> {
        let (guard, now) = (guards.mailbox.as_ref()?, guards.now);
        let facts = self.mailboxes.get(&guard.mailbox);
        let later = |until: &Timestamp| *until > now;
        if let Some(wait) = facts.and_then(|facts| facts.waits.filter(|(_, until)| later(until))) {
            return Some(wait);
        }
        if let Some(fresh_for) = guard.inbox_fresh_for {
            let read_at = facts.and_then(|facts| facts.inbox_read_at);
            // A read in the future is a clock that was set back: as good as no read at all.
            let fresh = read_at.is_some_and(|at| at <= now && at.duration_until(now) <= fresh_for);
            if !fresh {
                return Some((Waiting::InboxStale, now + INBOX_RETRY));
            }
        }
        let until = facts.and_then(|facts| facts.next_send_at).filter(later)?;
        Some((Waiting::MailboxLimit, until))
    }

    /// Touches of the same person from another enrollment keep their distance.
    fn person_waits(&self, guards: &Guards) -> Option<(Waiting, Timestamp)> {
        let (prospect, enrollment, quiet) = guards.quiet.as_ref()?;
        let until = *self.touched.get(&(*prospect, *enrollment))? + *quiet;
        (until > guards.now).then_some((Waiting::ProspectLimit, until))
    }

    fn company_waits(&self, guards: &Guards) -> Option<(Waiting, Timestamp)> {
        let (company, enrollment, limit) = guards.company.as_ref()?;
        let begun = self.begun.get(&(*company, *enrollment)).copied().unwrap_or(0);
        (begun >= u64::from(*limit)).then_some((Waiting::CompanyLimit, guards.now + COMPANY_RETRY))
    }

    /// The first cap without room, in the order of the scopes.
    fn cap_waits(&self, guards: &Guards) -> Option<(Waiting, Timestamp)> {
        let mut caps: Vec<&Cap> = guards.caps.iter().collect();
        caps.sort_by(|a, b| a.scope.cmp(&b.scope));
        caps.into_iter().find_map(|cap| {
            let used = self.used.get(&cap.scope).into_iter().flatten();
            let used: Vec<Used> =
                used.map(|(bucket, count)| Used { bucket: *bucket, count: *count }).collect();
            cap.admit(&used, guards.now).err().map(|until| (cap.reason, until))
        })
    }
}

const LOCK_LEASES: Set = Set {
    sql: of_rows!(
        "select l.name from lease l where l.name in (select r.value ->> 0 from",
        ") order by l.name for update"
    ),
    attempted: "lock a lease",
};

const LOCK_MAILBOXES: Set = Set {
    sql: of_rows!(
        "insert into mailbox (id, sending_days) select r.value ->> 0, 0 from",
        "order by r.value ->> 0 \
         on conflict (id) do update set sending_days = mailbox.sending_days"
    ),
    attempted: "lock a mailbox",
};

/// The row of bucket -1 is the scope's lock: two nodes in different buckets still see each other.
const LOCK_SCOPES: Set = Set {
    sql: of_rows!(
        "insert into budget (scope, bucket, used) select r.value ->> 0, -1, 0 from",
        "order by r.value ->> 0 on conflict (scope, bucket) do update set used = 0"
    ),
    attempted: "lock a budget",
};

/// On PostgreSQL others write at the same time. Locks are taken before anything is read, always in the
/// same order, so that two nodes cannot lock each other out: leases, mailboxes, then scopes by name.
/// On SQLite the transaction itself is the lock.
async fn lock(tx: &mut Tx, asked: &[&Guards]) -> Result<(), StoreError> {
    let mut leases = BTreeSet::new();
    let mut mailboxes = BTreeSet::new();
    let mut scopes = BTreeSet::new();
    for guards in asked {
        leases.extend(guards.lease.iter().map(|(name, _)| name.clone()));
        mailboxes.extend(guards.mailbox.iter().map(|guard| guard.mailbox.0.clone()));
        scopes.extend(guards.quiet.iter().map(|(person, ..)| format!("lock:person:{person}")));
        scopes.extend(guards.company.iter().map(|(company, ..)| format!("lock:company:{company}")));
        scopes.extend(guards.caps.iter().map(|cap| cap.scope.clone()));
    }
    let rows = |names: BTreeSet<String>| names.into_iter().map(|name| json!([name])).collect();
    LOCK_LEASES.run(Dialect::Postgres, tx, rows(leases)).await?;
    LOCK_MAILBOXES.run(Dialect::Postgres, tx, rows(mailboxes)).await?;
    LOCK_SCOPES.run(Dialect::Postgres, tx, rows(scopes)).await?;
    Ok(())
}

const CHARGE_MAILBOX: Set = Set {
    sql: of_rows!(
        "insert into mailbox (id, next_send_at, sending_days, last_sending_day) \
         select r.value ->> 0, cast(r.value ->> 1 as bigint), 0, cast(r.value ->> 2 as bigint) from",
        "where true on conflict (id) do update set next_send_at = excluded.next_send_at, \
         sending_days = mailbox.sending_days + case when mailbox.last_sending_day is not null \
         and mailbox.last_sending_day <> excluded.last_sending_day then 1 else 0 end, \
         last_sending_day = excluded.last_sending_day"
    ),
    attempted: "write a mailbox",
};

const CHARGE_BUDGET: Set = Set {
    sql: of_rows!(
        "insert into budget (scope, bucket, used) \
         select r.value ->> 0, cast(r.value ->> 1 as bigint), cast(r.value ->> 2 as bigint) from",
        "where true on conflict (scope, bucket) do update set used = budget.used + excluded.used"
    ),
    attempted: "charge a budget",
};

/// Notes the gap behind each mail, a new sending day, and one use of each cap.
async fn charge(dialect: Dialect, tx: &mut Tx, admitted: &[&Guards]) -> Result<(), StoreError> {
    let mailbox = |guards: &&Guards| {
        let MailboxGuard { mailbox, gap, day, .. } = guards.mailbox.as_ref()?;
        Some(json!([mailbox.0, (guards.now + *gap).as_millisecond(), day]))
    };
    CHARGE_MAILBOX.run(dialect, tx, admitted.iter().filter_map(mailbox).collect()).await?;
    let mut uses: BTreeMap<(&str, i64), u32> = BTreeMap::new();
    for guards in admitted {
        for cap in &guards.caps {
            *uses.entry((&cap.scope, cap.bucket(guards.now))).or_default() += 1;
        }
    }
    let uses = uses.into_iter().map(|((scope, bucket), n)| json!([scope, bucket, n])).collect();
    CHARGE_BUDGET.run(dialect, tx, uses).await?;
    Ok(())
}

/// How many others at a company are under way.
pub(super) async fn begun_at<'e>(
    database: impl Executor<'e, Database = Any>,
    company: CompanyId,
    except: EnrollmentId,
) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "select count(*) as n from enrollment \
         where company_id = $1 and id <> $2 and lane is not null and begun = 1",
    )
    .bind(company.0)
    .bind(except.0)
    .fetch_one(database)
    .await
    .map_err(failed("count the colleagues"))?;
    Ok(u64::try_from(get::<i64>(&row, "n")?).unwrap_or(0))
}

/// What was used of a cap in the buckets that still count.
pub(super) async fn used<'e>(
    database: impl Executor<'e, Database = Any>,
    cap: &Cap,
    now: Timestamp,
) -> Result<Vec<Used>, StoreError> {
    let rows = sqlx::query("select bucket, used from budget where scope = $1 and bucket >= $2")
        .bind(cap.scope.clone())
        .bind(cap.oldest_bucket(now).max(0))
        .fetch_all(database)
        .await
        .map_err(failed("read a budget"))?;
    let used = |row| {
        let count = u32::try_from(get::<i64>(row, "used")?).unwrap_or(u32::MAX);
        Ok(Used { bucket: get(row, "bucket")?, count })
    };
    rows.iter().map(used).collect()
}

impl SqlStore {
    pub(super) async fn read_lease_count(
        &self,
        prefix: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "select count(*) as n from lease where substr(name, 1, length($1)) = $1 \
             and until_at > $2";
        let row = sqlx::query(sql)
            .bind(prefix.to_owned())
            .bind(now.as_millisecond())
            .fetch_one(&self.readers)
            .await
            .map_err(failed("count the leases"))?;
        Ok(u64::try_from(get::<i64>(&row, "n")?).unwrap_or(0))
    }

    /// The clock of a PostgreSQL server; a file has none.
    pub(super) async fn read_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let sql = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as at";
        let row =
            sqlx::query(sql).fetch_one(&self.readers).await.map_err(failed("ask the time"))?;
        Ok(Some(timestamp(get(&row, "at")?)))
    }

    /// Takes over or renews a lease that is free, ours, or run out.
    pub(super) async fn take_lease(
        &self,
        request: &crate::ports::LeaseRequest,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "insert into lease (name, holder, until_at, epoch) values ($1, $2, $3, 1) \
             on conflict (name) do update set until_at = excluded.until_at, \
             epoch = case when lease.holder = excluded.holder then lease.epoch else lease.epoch + 1 end, \
             holder = excluded.holder \
             where lease.holder = excluded.holder or lease.until_at <= $4 or lease.until_at > $5 \
             returning epoch";
        let row = query(sql.to_owned())
            .bind(request.name.clone())
            .bind(request.holder.clone())
            .bind(request.until.as_millisecond())
            .bind(request.now.as_millisecond())
            .bind((request.now + LEASE_AT_MOST).as_millisecond())
            .fetch_optional(&self.writer)
            .await
            .map_err(failed("take a lease"))?;
        row.map(|row| get(&row, "epoch")).transpose()
    }
}
