//! One damage after the other, each found, named and, where the log says how it was, mended.

use firsttouch::adapters::store::{Copied, SqlStore};
use firsttouch::domain::audit::Finding;
use firsttouch::engine::verify::{self, Repaired};
use sqlx::AssertSqlSafe;

use crate::{Life, Server, all_sums, ask, now, raw, verified};

/// What becomes of a damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mended {
    /// Everything is as before.
    Whole,
    /// Nothing differs any more; when it is looked at again need not be as before.
    Somehow,
    /// The log would have to be changed.
    Not,
}
use Mended::{Not, Somehow, Whole};

/// A damage: how the row is found (as a text), what is done to it (`{}` is the row), and which row the
/// difference must name.
struct Damage(&'static str, &'static str, &'static str, Mended);

const SENT: &str = "select cast(min(t.id) as text) from touch t where t.status = 'sent'";
const ENDED: &str = "select cast(max(id) as text) from enrollment where phase = 'ended'";
const UNDER_WAY: &str = "select cast(min(id) as text) from enrollment where phase = 'waiting'";
const FROM_MAIL: &str =
    "select cast(min(id) as text) from inbound where kind = 'reply' and touch_id is not null";

const DAMAGES: &[Damage] = &[
    Damage(ENDED, "update enrollment set phase = 'waiting' where id = {}", "enrollment {}", Whole),
    Damage(
        UNDER_WAY,
        "update enrollment set state = replace(state, '\"day\":', '\"day\":7') where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(UNDER_WAY, "update enrollment set state = '{' where id = {}", "enrollment {}", Whole),
    Damage(
        UNDER_WAY,
        "update enrollment set begun = 1 - begun where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(ENDED, "update enrollment set ended_at = null where id = {}", "enrollment {}", Whole),
    Damage(
        ENDED,
        "update enrollment set lane = 'desk', lane_rank = 0, wake_at = 1, waiting = 'not_due' where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        UNDER_WAY,
        "update enrollment set lane = null, lane_rank = null, wake_at = null, waiting = null where id = {}",
        "enrollment {}",
        Somehow,
    ),
    Damage(UNDER_WAY, "update enrollment set lane_rank = 77 where id = {}", "enrollment {}", Whole),
    Damage(
        UNDER_WAY,
        "update enrollment set owner = 'nobody' where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        ENDED,
        "update enrollment set mailbox_id = 'nobody' where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        ENDED,
        "update enrollment set prospect_id = (select max(id) from prospect) where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        UNDER_WAY,
        "update enrollment set digest = (select min(v.digest) from cadence_version v \
         where v.digest <> enrollment.digest) where id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(ENDED, "update enrollment set revision = 0 where id = {}", "enrollment {}", Somehow),
    // The log itself: found, and never mended; nor is a row brought in line with it.
    Damage(
        "select cast(min(enrollment_id) as text) from transition where state like '%\"sending\"%'",
        "delete from transition where enrollment_id = {} and state like '%\"sending\"%'",
        "enrollment {}",
        Not,
    ),
    Damage(
        ENDED,
        "delete from transition where enrollment_id = {} and state like '%\"ended\"%'",
        "enrollment {}",
        Not,
    ),
    Damage(
        ENDED,
        "update transition set state = '{' where enrollment_id = {} and state like '%\"ended\"%'",
        "transition {}/*",
        Not,
    ),
    Damage(
        "select cast(min(enrollment_id) as text) from event where what = 'ended'",
        "delete from event where enrollment_id = {} and what = 'ended'",
        "enrollment {}",
        Not,
    ),
    Damage(
        "select cast(min(enrollment_id) as text) from event where what = 'skipped'",
        "delete from event where enrollment_id = {} and what = 'skipped'",
        "enrollment {}",
        Not,
    ),
    Damage(
        "select cast(min(enrollment_id) as text) from event where what = 'enrolled'",
        "delete from event where enrollment_id = {} and what = 'enrolled'",
        "enrollment {}",
        Not,
    ),
    Damage(
        "select cast(min(id) as text) from event where what = 'sent'",
        "update event set details = '{' where id = {}",
        "event {}",
        Not,
    ),
    Damage(SENT, "delete from event where touch_id = {} and what = 'sent'", "touch {}", Not),
    Damage(SENT, "delete from event where touch_id = {}", "touch {}", Not),
    Damage(SENT, "update touch set status = 'retryable' where id = {}", "touch {}", Not),
    Damage(SENT, "update touch set at = at - 60000 where id = {}", "touch {}", Not),
    Damage(SENT, "update touch set step_id = 'other' where id = {}", "touch {}", Not),
    Damage(SENT, "update touch set attempt = 9 where id = {}", "touch {}", Not),
    Damage(SENT, "update touch set came_back_at = 1 where id = {}", "touch {}", Not),
    Damage(SENT, "delete from touch where id = {}", "touch {}", Not),
    Damage(
        "select cast(min(id) as text) from touch where status = 'done'",
        "update touch set outcome = 'other' where id = {}",
        "touch {}",
        Not,
    ),
    Damage(
        "select cast(max(id) as text) from task where closed_at is not null",
        "update task set closed_at = null where id = {}",
        "task {}",
        Somehow,
    ),
    Damage(
        "select cast(max(id) as text) from task where closed_at is null",
        "update task set closed_at = 1 where id = {}",
        "task {}",
        Whole,
    ),
    Damage(
        "select cast(max(id) as text) from task where closed_at is not null",
        "update task set opened_at = 1 where id = {}",
        "task {}",
        Not,
    ),
    Damage(
        "select cast(max(enrollment_id) as text) from task where closed_at is null",
        "delete from task where enrollment_id = {} and closed_at is null",
        "enrollment {}",
        Not,
    ),
    Damage(
        "select cast(min(enrollment_id) as text) from milestone where milestone = 'first_attempt'",
        "delete from milestone where enrollment_id = {} and milestone = 'first_attempt'",
        "milestone first_attempt of enrollment {}",
        Whole,
    ),
    Damage(
        "select cast(min(enrollment_id) as text) from milestone where milestone = 'first_conversation'",
        "update milestone set at = 1 where enrollment_id = {} and milestone = 'first_conversation'",
        "milestone first_conversation of enrollment {}",
        Whole,
    ),
    Damage(
        "select cast(min(m.enrollment_id) as text) from milestone m where not exists (select 1 from \
         milestone o where o.enrollment_id = m.enrollment_id and o.milestone = 'first_conversation')",
        "insert into milestone (enrollment_id, milestone, prospect_id, touch_id, at) \
         select enrollment_id, 'first_conversation', prospect_id, touch_id, at from milestone \
         where enrollment_id = {} limit 1",
        "milestone first_conversation of enrollment {}",
        Whole,
    ),
    Damage(
        "select value from suppression where kind = 'person' and cause = 'opt_out' order by value limit 1",
        "delete from suppression where kind = 'person' and value = '{}'",
        "prospect {}",
        Not,
    ),
    Damage(
        "select 'x@y.test'",
        "insert into suppression (kind, value, cause, source, at) \
         values ('email', '{}', 'hard_bounce', 'mail', 1)",
        "suppression email {}",
        Not,
    ),
    Damage(FROM_MAIL, "update inbound set kind = 'notice' where id = {}", "inbound {}", Not),
    Damage(FROM_MAIL, "update inbound set touch_id = null where id = {}", "inbound {}", Not),
    Damage(FROM_MAIL, "delete from inbound where id = {}", "reply of prospect *", Not),
    Damage(
        "select substr(scope, 9) from budget where scope like 'mailbox:%' order by bucket desc limit 1",
        "update budget set used = used + 3 where scope = 'mailbox:{}' and bucket = \
         (select max(bucket) from budget where scope = 'mailbox:{}')",
        "budget mailbox:{} *",
        Whole,
    ),
    Damage(
        "select scope from budget where scope like 'domain:%' order by bucket desc, scope limit 1",
        "delete from budget where scope = '{}' and bucket >= 0",
        "budget {} *",
        // Buckets that do not count any more stay away.
        Somehow,
    ),
    Damage(
        "select id from mailbox where last_sending_day is not null order by id limit 1",
        "update mailbox set sending_days = 99 where id = '{}'",
        "mailbox {}",
        Whole,
    ),
    Damage(
        "select id from mailbox where last_sending_day is not null order by id limit 1",
        "update mailbox set resumed_days = 1 where id = '{}'",
        "mailbox {}",
        Whole,
    ),
    Damage(
        "select id from mailbox where last_sending_day is not null order by id limit 1",
        "update mailbox set next_send_at = null where id = '{}'",
        "mailbox {}",
        Somehow,
    ),
    Damage(
        "select cast(max(prospect_id) as text) from recognised",
        "delete from recognised where prospect_id = {}",
        "prospect {}",
        Whole,
    ),
    Damage(
        "select '1234567'",
        "insert into recognised (hash, prospect_id) values ({}, 999999999)",
        "recognised {}",
        Whole,
    ),
    Damage(
        "select cast(max(enrollment_id) as text) from account_member",
        "update account_member set role = 'other' where enrollment_id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        "select cast(max(enrollment_id) as text) from account_member",
        "delete from account_member where enrollment_id = {}",
        "enrollment {}",
        Whole,
    ),
    Damage(
        "select cast(min(import_id) as text) from import_row",
        "delete from list_member where list_id = (select list_id from import where id = {}) \
         and prospect_id = (select min(prospect_id) from import_row where import_id = {})",
        "import {} *",
        Not,
    ),
    Damage(
        "select cast(min(id) as text) from import",
        "update import set rows_done = rows_done + 1, rows_indexed = rows_indexed + 1 where id = {}",
        "import {} *",
        Not,
    ),
    Damage(
        "select cast(min(import_id) as text) from import_row",
        "delete from import_row where import_id = {} and row_number = \
         (select min(row_number) from import_row where import_id = {})",
        "import {} *",
        Not,
    ),
    Damage(
        "select 'touch'",
        "update sequence set next = 1 where kind = '{}'",
        "sequence {}",
        Somehow,
    ),
    Damage("select 'event'", "delete from sequence where kind = '{}'", "sequence {}", Somehow),
];

/// `*` at the end stands for anything.
fn is_named(row: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(begins) => row.starts_with(begins),
        None => row == wanted,
    }
}

/// The tables of which the repair must not change a row.
const RECORDS: [&str; 5] = ["event", "transition", "touch", "inbound", "suppression"];

/// A database that had no difference: its instant, and the sums of its tables.
struct Before {
    now: jiff::Timestamp,
    sums: Vec<Copied>,
}

impl Before {
    async fn of(url: &str) -> Self {
        let now = now(url).await;
        assert_eq!(verified(url, now).await.findings, []);
        Self { now, sums: all_sums(url).await }
    }
}

/// Damages a database that had no difference, looks, and mends.
async fn goes_well(damage: &Damage, before: &Before, url: &str) -> Result<(), String> {
    let Damage(pick, sql, wanted, mended) = damage;
    let pool = raw(url).await;
    let Some(id) = ask(&pool, pick).await else { return Err("nothing to damage".to_owned()) };
    let done = sqlx::query(AssertSqlSafe(sql.replace("{}", &id))).execute(&pool).await;
    pool.close().await;
    let done = done.map_err(|error| error.to_string())?.rows_affected();
    if done == 0 {
        return Err(format!("{id}: nothing was damaged"));
    }
    let wanted = wanted.replace("{}", &id);
    match mended {
        Not => stays(before, url, &wanted).await,
        Whole | Somehow => is_mended(before, url, &wanted, *mended).await,
    }
}

fn named<'a>(found: &'a [Finding], wanted: &str) -> Result<Vec<&'a Finding>, String> {
    let named: Vec<_> = found.iter().filter(|finding| is_named(&finding.row, wanted)).collect();
    match named.is_empty() {
        false => Ok(named),
        true => {
            let rows: Vec<&String> = found.iter().map(|finding| &finding.row).collect();
            Err(format!("{wanted} is not named among {rows:?}"))
        }
    }
}

/// The log is damaged: it is told, and no repair makes the difference go away.
async fn stays(before: &Before, url: &str, wanted: &str) -> Result<(), String> {
    let found = verified(url, before.now).await.findings;
    let can_be_mended = |finding: &&Finding| finding.mend.is_some();
    if let Some(finding) = named(&found, wanted)?.into_iter().find(can_be_mended) {
        return Err(format!("{wanted} could be mended: {finding:?}"));
    }
    if !found.iter().any(|finding| finding.mend.is_some()) {
        return Ok(());
    }
    let damaged = all_sums(url).await;
    let left = repaired(before, url, &damaged).await?.after.findings;
    named(&left, wanted)?;
    nothing_can_be_mended(&left)
}

/// What stands beside the log is as the log says it.
async fn is_mended(before: &Before, url: &str, wanted: &str, mended: Mended) -> Result<(), String> {
    let repaired = repaired(before, url, &before.sums).await?;
    named(&repaired.mended, wanted)?;
    let left = &repaired.after.findings;
    nothing_can_be_mended(left)?;
    let after = if mended == Whole { all_sums(url).await } else { before.sums.clone() };
    if left.is_empty() && before.sums == after {
        return Ok(());
    }
    let pairs = before.sums.iter().zip(&after).filter(|(before, after)| before != after);
    let differ: Vec<&str> = pairs.map(|(before, _)| before.table.as_str()).collect();
    Err(format!("{wanted}: left {left:#?}, differs in {differ:?}"))
}

/// Mends, and sees that no record was touched.
async fn repaired(before: &Before, url: &str, damaged: &[Copied]) -> Result<Repaired, String> {
    let store = SqlStore::open(url).await.expect("it opens");
    let repaired = verify::repair(&store, &store, before.now, &mut ()).await.expect("repaired");
    store.close().await;
    let is_record = |one: &&Copied| RECORDS.contains(&one.table.as_str());
    let after = all_sums(url).await;
    match damaged.iter().filter(is_record).eq(after.iter().filter(is_record)) {
        true => Ok(repaired),
        false => Err("the repair changed a record".to_owned()),
    }
}

fn nothing_can_be_mended(left: &[Finding]) -> Result<(), String> {
    match left.iter().find(|finding| finding.mend.is_some()) {
        Some(finding) => Err(format!("still to be mended: {finding:?}")),
        None => Ok(()),
    }
}

#[tokio::test]
async fn a_life_has_no_difference_and_every_damage_is_found_and_mended_where_it_can_be() {
    let life = Life::lived();
    let before = Before::of(&life.url()).await;
    let mut wrong = Vec::new();
    for (number, damage) in DAMAGES.iter().enumerate() {
        let url = life.copy(number);
        if let Err(why) = goes_well(damage, &before, &url).await {
            wrong.push(format!("{}\n    {why}", damage.1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(DAMAGES.len() >= 25);
}

#[tokio::test]
async fn on_postgresql_it_is_the_same() {
    let Some(server) = Server::asked_for().await else { return };
    let life = Life::lived();
    let first = server.database(None).await;
    life.works(&["db", "copy", &first]);
    let before = Before::of(&first).await;
    let mut wrong = Vec::new();
    // What is found is found by the same code; what mends speaks to the database.
    let some =
        DAMAGES.iter().enumerate().filter(|(number, damage)| damage.3 != Not || number % 4 == 0);
    for (_, damage) in some {
        let url = server.database(Some(&first)).await;
        if let Err(why) = goes_well(damage, &before, &url).await {
            wrong.push(format!("{}\n    {why}", damage.1));
        }
        server.drop(&url).await;
    }
    server.drop(&first).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
