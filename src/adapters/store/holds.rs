//! Holds, what the breakers count, and what the daemon notes about itself.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::json::timestamp;
use super::{SqlStore, failed, get, rows};
use crate::domain::budget::Waiting;
use crate::domain::hold::{Health, Hold, HoldCause, HoldScope, Release};
use crate::domain::ids::MailboxId;
use crate::ports::{Changes, HoldBack, StoreError};

type Tx = Transaction<'static, Any>;

pub(super) async fn put(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    for hold in &changes.held {
        put_hold(tx, hold).await?;
    }
    for release in &changes.released {
        put_release(tx, release).await?;
    }
    Ok(())
}

/// The same cause holds the same once.
async fn put_hold(tx: &mut Tx, hold: &Hold) -> Result<(), StoreError> {
    sqlx::query(
        "insert into hold (scope, cause, note, held_by, held_at) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
    )
    .bind(hold.scope.text())
    .bind(hold.cause.as_str())
    .bind(hold.note.clone())
    .bind(hold.by.clone())
    .bind(hold.at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("write a hold"))?;
    Ok(())
}

/// Whoever was held back is looked at again at once; what else holds them does so again.
async fn put_release(tx: &mut Tx, release: &Release) -> Result<(), StoreError> {
    sqlx::query(
        "update hold set released_by = $2, released_at = $3 \
         where scope = $1 and released_at is null",
    )
    .bind(release.scope.text())
    .bind(release.by.clone())
    .bind(release.at.as_millisecond())
    .execute(&mut **tx)
    .await
    .map_err(failed("release a hold"))?;
    sqlx::query("update enrollment set wake_at = $1 where waiting = $2 and lane is not null")
        .bind(release.at.as_millisecond())
        .bind(Waiting::OnHold.as_str())
        .execute(&mut **tx)
        .await
        .map_err(failed("release a hold"))?;
    Ok(())
}

impl SqlStore {
    pub(super) async fn read_holds(&self) -> Result<Vec<Hold>, StoreError> {
        let sql = "select scope, cause, note, held_by, held_at from hold \
             where released_at is null order by held_at, scope, cause";
        self.all(sql, hold).await
    }

    pub(super) async fn write_hold_back(&self, back: &HoldBack) -> Result<u64, StoreError> {
        let (cadence, owner) = match &back.scope {
            HoldScope::Cadence(id) => (id.0.clone(), String::new()),
            HoldScope::Rep(id) => (String::new(), id.0.clone()),
            HoldScope::Everything | HoldScope::Mailbox(_) => (String::new(), String::new()),
        };
        let done = sqlx::query(
            "update enrollment set wake_at = $3, waiting = $4 \
             where lane = $1 and wake_at <= $2 and phase = 'waiting' \
             and ($5 = '' or cadence_id = $5) and ($6 = '' or owner = $6)",
        )
        .bind(rows::lane_text(&back.lane))
        .bind(back.now.as_millisecond())
        .bind(back.until.as_millisecond())
        .bind(back.waiting.as_str())
        .bind(cadence)
        .bind(owner)
        .execute(&self.writer)
        .await
        .map_err(failed("hold people back"))?;
        Ok(done.rows_affected())
    }

    /// Since the later of `since` and the last time that a person reset a breaker of this mailbox.
    pub(super) async fn read_health(
        &self,
        mailbox: &MailboxId,
        since: Timestamp,
    ) -> Result<Health, StoreError> {
        let reset = "select max(released_at) as at from hold where scope = $1 \
             and cause in ('bounces', 'complaints')";
        let scope = HoldScope::Mailbox(mailbox.clone()).text();
        let reset = self.one_number(reset, &scope, None).await?.map(timestamp);
        let since = reset.map_or(since, |reset| reset.max(since)).as_millisecond();
        let count = |sql| self.one_number(sql, mailbox.as_str(), Some(since));
        let mails = count(
            "select count(*) as at from touch where mailbox_id = $1 and at >= $2 \
             and (status in ('sent', 'assumed_sent') or came_back_at is not null)",
        );
        let dead = count(
            "select count(*) as at from touch where mailbox_id = $1 and at >= $2 \
             and came_back_at is not null",
        );
        let complaints = count(
            "select count(*) as at from inbound where mailbox_id = $1 and received_at >= $2 \
             and kind = 'complaint'",
        );
        let whole = |n: Option<i64>| u64::try_from(n.unwrap_or(0)).unwrap_or(0);
        Ok(Health {
            mails: whole(mails.await?),
            dead: whole(dead.await?),
            complaints: whole(complaints.await?),
        })
    }

    async fn one_number(
        &self,
        sql: &'static str,
        text: &str,
        number: Option<i64>,
    ) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query(sql).bind(text.to_owned());
        let query = match number {
            Some(number) => query.bind(number),
            None => query,
        };
        let row = query.fetch_one(&self.readers).await.map_err(failed("read"))?;
        get(&row, "at")
    }

    pub(super) async fn read_note(&self, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "select value from meta where key = $1";
        Ok(self.all_by_text(sql, key, |row| get(row, "value")).await?.pop())
    }

    pub(super) async fn write_note_first(
        &self,
        key: &str,
        value: &str,
    ) -> Result<String, StoreError> {
        let row = sqlx::query(
            "insert into meta (key, value) values ($1, $2) \
             on conflict (key) do update set value = meta.value returning value",
        )
        .bind(key.to_owned())
        .bind(value.to_owned())
        .fetch_one(&self.writer)
        .await
        .map_err(failed("write a note"))?;
        get(&row, "value")
    }

    pub(super) async fn write_note(&self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "insert into meta (key, value) values ($1, $2) \
             on conflict (key) do update set value = excluded.value",
        )
        .bind(key.to_owned())
        .bind(value.to_owned())
        .execute(&self.writer)
        .await
        .map_err(failed("write a note"))?;
        Ok(())
    }
}

fn hold(row: &AnyRow) -> Result<Hold, StoreError> {
    let (scope, cause): (String, String) = (get(row, "scope")?, get(row, "cause")?);
    Ok(Hold {
        cause: HoldCause::parse(&cause)
            .ok_or(StoreError::Unknown { what: "the cause of a hold", value: cause })?,
        scope: HoldScope::parse(&scope)
            .ok_or(StoreError::Unknown { what: "the scope of a hold", value: scope })?,
        note: get(row, "note")?,
        by: get(row, "held_by")?,
        at: timestamp(get(row, "held_at")?),
    })
}
