//! The guards of an intent: checked and charged in the transaction that records it (engine.md, 3.5).

use jiff::Timestamp;
use sqlx::{Any, Executor, Transaction};

use super::json::timestamp;
use super::{Dialect, Fork, SqlStore, days, failed, get, holds, query, reps, rows};
use crate::domain::budget::{Cap, SendingDays, Used, Waiting};
use crate::domain::ids::{CompanyId, EnrollmentId};
use crate::ports::{Guards, Intent, LEASE_AT_MOST, MailboxGuard, StoreError};

type Tx = Transaction<'static, Any>;

/// Checks every guard, cheapest to refuse first; locks are taken in a fixed order: lease, mailbox,
/// person, company, reps, budgets by scope.
pub(super) async fn check(
    store: &SqlStore,
    tx: &mut Tx,
    guards: &Guards,
) -> Result<Intent, StoreError> {
    if !holds_lease(store, tx, guards).await? {
        return Ok(Intent::NotOurs);
    }
    if holds::holds(tx, guards).await? {
        let until = guards.now + HOLD_RETRY;
        return Ok(Intent::Wait { reason: Waiting::OnHold, until });
    }
    if is_blocked(tx, guards).await? {
        return Ok(Intent::Blocked);
    }
    if let Some(wait) = days::owner_waits(tx, guards).await? {
        return Ok(wait);
    }
    if let Some(guard) = &guards.mailbox
        && let Some(wait) = mailbox_waits(store, tx, guard, guards.now).await?
    {
        return Ok(wait);
    }
    if let Some(wait) = person_waits(tx, guards).await? {
        return Ok(wait);
    }
    if let Some(wait) = company_waits(tx, guards).await? {
        return Ok(wait);
    }
    if let Some(wait) = reps::wait(tx, guards).await? {
        return Ok(wait);
    }
    charge(tx, guards).await
}

const LEASE: Fork = Fork {
    sqlite: "select epoch, until_at from lease where name = $1",
    postgres: "select epoch, until_at from lease where name = $1 for update",
};

async fn holds_lease(store: &SqlStore, tx: &mut Tx, guards: &Guards) -> Result<bool, StoreError> {
    let Some((name, epoch)) = &guards.lease else {
        return Ok(true);
    };
    let row = sqlx::query(store.dialect.pick(LEASE))
        .bind(name.clone())
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed("read a lease"))?;
    let Some(row) = row else {
        return Ok(false);
    };
    let ours = get::<i64>(&row, "epoch")? == *epoch;
    Ok(ours && timestamp(get(&row, "until_at")?) > guards.now)
}

async fn is_blocked(tx: &mut Tx, guards: &Guards) -> Result<bool, StoreError> {
    for subject in &guards.subjects {
        let row =
            sqlx::query("select cause from suppression where kind = $1 and value = $2 limit 1")
                .bind(subject.kind())
                .bind(subject.value())
                .fetch_optional(&mut **tx)
                .await
                .map_err(failed("read the suppressions"))?;
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How soon to look again at what is on hold; a release wakes it earlier.
const HOLD_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

const MAILBOX: Fork = Fork {
    sqlite: "select * from mailbox where id = $1",
    postgres: "select * from mailbox where id = $1 for update",
};

/// How soon to look again at a mailbox whose inbox was not read.
const INBOX_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

async fn mailbox_waits(
    store: &SqlStore,
    tx: &mut Tx,
    guard: &MailboxGuard,
    now: Timestamp,
) -> Result<Option<Intent>, StoreError> {
    sqlx::query("insert into mailbox (id, sending_days) values ($1, 0) on conflict do nothing")
        .bind(guard.mailbox.0.clone())
        .execute(&mut **tx)
        .await
        .map_err(failed("write a mailbox"))?;
    let row = sqlx::query(store.dialect.pick(MAILBOX))
        .bind(guard.mailbox.0.clone())
        .fetch_one(&mut **tx)
        .await
        .map_err(failed("read a mailbox"))?;
    let record = rows::mailbox(&row)?;
    if let Some((until, reason)) = record.waits.filter(|(until, _)| *until > now) {
        return Ok(Some(Intent::Wait { reason, until }));
    }
    if let Some(fresh_for) = guard.inbox_fresh_for {
        // A read in the future is a clock that was set back: as good as no read at all.
        let fresh =
            record.inbox_read_at.is_some_and(|at| at <= now && at.duration_until(now) <= fresh_for);
        if !fresh {
            return Ok(Some(Intent::Wait {
                reason: Waiting::InboxStale,
                until: now + INBOX_RETRY,
            }));
        }
    }
    if let Some(until) = record.next_send_at.filter(|until| *until > now) {
        return Ok(Some(Intent::Wait { reason: Waiting::MailboxLimit, until }));
    }
    charge_mailbox(tx, guard, record.days().with(guard.day), now).await?;
    Ok(None)
}

/// Notes the gap behind this mail, and the days on which the mailbox has sent.
async fn charge_mailbox(
    tx: &mut Tx,
    guard: &MailboxGuard,
    days: SendingDays,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "update mailbox set next_send_at = $2, sending_days = $3, last_sending_day = $4, \
         resumed_days = $5 where id = $1",
    )
    .bind(guard.mailbox.0.clone())
    .bind((now + guard.gap).as_millisecond())
    .bind(i64::from(days.before))
    .bind(days.last)
    .bind(days.resumed.map(i64::from))
    .execute(&mut **tx)
    .await
    .map_err(failed("write a mailbox"))?;
    Ok(())
}

/// Touches of the same person from another enrollment keep their distance.
async fn person_waits(tx: &mut Tx, guards: &Guards) -> Result<Option<Intent>, StoreError> {
    let Some((prospect, enrollment, quiet)) = &guards.quiet else {
        return Ok(None);
    };
    lock_scope(tx, &format!("lock:person:{prospect}")).await?;
    let row = sqlx::query(
        "select max(at) as last_at from touch where prospect_id = $1 and enrollment_id <> $2 \
         and channel <> 'task' and status not in ('retryable', 'refused', 'taken_back')",
    )
    .bind(prospect.0)
    .bind(enrollment.0)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed("read the last touch"))?;
    let last = get::<Option<i64>>(&row, "last_at")?.map(timestamp);
    let until = last.map(|last| last + *quiet).filter(|until| *until > guards.now);
    Ok(until.map(|until| Intent::Wait { reason: Waiting::ProspectLimit, until }))
}

/// How long a colleague waits before the company is counted again.
const COMPANY_RETRY: jiff::SignedDuration = jiff::SignedDuration::from_hours(4);

async fn company_waits(tx: &mut Tx, guards: &Guards) -> Result<Option<Intent>, StoreError> {
    let Some((company, enrollment, limit)) = &guards.company else {
        return Ok(None);
    };
    lock_scope(tx, &format!("lock:company:{company}")).await?;
    if begun_at(&mut **tx, *company, *enrollment).await? < u64::from(*limit) {
        return Ok(None);
    }
    let until = guards.now + COMPANY_RETRY;
    Ok(Some(Intent::Wait { reason: Waiting::CompanyLimit, until }))
}

/// Charges every cap once, in the order of the scopes so that two nodes cannot lock each other out.
async fn charge(tx: &mut Tx, guards: &Guards) -> Result<Intent, StoreError> {
    let mut caps: Vec<&Cap> = guards.caps.iter().collect();
    caps.sort_by(|a, b| a.scope.cmp(&b.scope));
    for cap in caps {
        lock_scope(tx, &cap.scope).await?;
        let used = used(&mut **tx, cap, guards.now).await?;
        if let Err(until) = cap.admit(&used, guards.now) {
            return Ok(Intent::Wait { reason: cap.reason, until });
        }
        add_use(tx, cap, guards.now).await?;
    }
    Ok(Intent::Committed)
}

/// The row of bucket -1 is the scope's lock: two nodes in different buckets still see each other.
pub(super) async fn lock_scope(tx: &mut Tx, scope: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into budget (scope, bucket, used) values ($1, -1, 0) \
         on conflict (scope, bucket) do update set used = 0",
    )
    .bind(scope.to_owned())
    .execute(&mut **tx)
    .await
    .map_err(failed("lock a budget"))?;
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

async fn add_use(tx: &mut Tx, cap: &Cap, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "insert into budget (scope, bucket, used) values ($1, $2, 1) \
         on conflict (scope, bucket) do update set used = budget.used + 1",
    )
    .bind(cap.scope.clone())
    .bind(cap.bucket(now))
    .execute(&mut **tx)
    .await
    .map_err(failed("charge a budget"))?;
    Ok(())
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
