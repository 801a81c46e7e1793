//! The rows of an import into PostgreSQL by `COPY`: onto a table of their own, unlogged, and from there
//! into their places in the transaction that they belong to.
//!
//! What a crash leaves on that table is nobody's: the next batch has another number, and clears it away.
//! There is one import at a time, so nobody else's rows are there.

use std::collections::BTreeMap;
use std::fmt::Write;

use sqlx::postgres::PgPoolCopyExt;
use sqlx::{Any, Transaction};

use super::{SqlStore, failed, json, rows};
use crate::domain::ids::{ImportId, ProspectId};
use crate::ports::{Changes, StoreError};

/// From so many people on `COPY` is quicker than a statement with values.
const WORTH_IT: usize = 200;

/// Bytes that are sent at a time.
const PIECE: usize = 1 << 20;

const TABLE: &str = "create unlogged table if not exists import_staging (\
    batch bigint not null, kind text not null, \
    a bigint, b bigint, c bigint, d bigint, e bigint, t text, u text, v text)";

/// Whether rows of these changes go by `COPY`.
pub(super) fn is_worth_it(store: &SqlStore, changes: &Changes) -> bool {
    let rows = changes.prospects.len() + changes.recognised.len();
    store.copier.is_some() && rows >= WORTH_IT
}

/// Sends the rows ahead; the number of their batch.
pub(super) async fn stage(store: &SqlStore, changes: &Changes) -> Result<i64, StoreError> {
    let missing = || StoreError::Database {
        attempted: "copy rows",
        detail: "there is no connection for it".to_owned(),
    };
    let copier = store.copier.as_ref().ok_or_else(missing)?;
    sqlx::query(TABLE).execute(copier).await.map_err(failed("make a table for rows"))?;
    let batch: (i64,) = sqlx::query_as(
        "insert into sequence (kind, next) values ('batch', 2) \
         on conflict (kind) do update set next = sequence.next + 1 returning next - 1",
    )
    .fetch_one(copier)
    .await
    .map_err(failed("number a batch of rows"))?;
    let mut copy = copier
        .copy_in_raw("copy import_staging (batch, kind, a, b, c, d, e, t, u, v) from stdin")
        .await
        .map_err(failed("copy rows"))?;
    let mut lines = Lines { batch: batch.0, text: String::with_capacity(PIECE + 16_384) };
    for fill in [companies, people, members, import_rows, recognised] {
        fill(changes, &mut lines);
        if lines.text.len() >= PIECE {
            copy.send(lines.text.as_bytes()).await.map_err(failed("copy rows"))?;
            lines.text.clear();
        }
    }
    copy.send(lines.text.as_bytes()).await.map_err(failed("copy rows"))?;
    copy.finish().await.map_err(failed("copy rows"))?;
    Ok(batch.0)
}

/// From the table of their own to where they belong, inside the transaction of the changes.
pub(super) async fn settle(
    tx: &mut Transaction<'static, Any>,
    batch: i64,
) -> Result<(), StoreError> {
    for sql in [
        "insert into company (id, identity, name, import_id) \
         select a, t, u, b from import_staging where batch = $1 and kind = 'company'",
        "insert into prospect (id, company_id, owner, relationship, known, changed_by) \
         select a, b, t, u, v, c from import_staging where batch = $1 and kind = 'person' \
         on conflict (id) do update set company_id = excluded.company_id, owner = excluded.owner, \
         relationship = excluded.relationship, known = excluded.known, \
         changed_by = coalesce(excluded.changed_by, prospect.changed_by)",
        "insert into recognised (hash, prospect_id) select a, b from import_staging \
         where batch = $1 and kind = 'way' on conflict do nothing",
        "insert into list_member (list_id, prospect_id, import_id) select a, b, c \
         from import_staging where batch = $1 and kind = 'member' on conflict do nothing",
        "insert into import_row (import_id, row_number, prospect_id, before, before_company, \
         before_relationship, before_import) select a, b, c, t, d, u, e from import_staging \
         where batch = $1 and kind = 'row'",
    ] {
        sqlx::query(sql)
            .bind(batch)
            .execute(&mut **tx)
            .await
            .map_err(failed("take over the rows of an import"))?;
    }
    // Rows that are deleted one by one would stay in the way of every batch behind this one.
    sqlx::query("truncate import_staging")
        .execute(&mut **tx)
        .await
        .map_err(failed("clear the table for rows"))?;
    Ok(())
}

/// Lines of PostgreSQL's text format.
struct Lines {
    batch: i64,
    text: String,
}

impl Lines {
    fn add(&mut self, kind: &str, numbers: [Option<i64>; 5], texts: [Option<&str>; 3]) {
        // Writing to a String does not fail.
        let _ = write!(self.text, "{}\t{kind}", self.batch);
        for number in numbers {
            match number {
                Some(number) => drop(write!(self.text, "\t{number}")),
                None => self.text.push_str("\t\\N"),
            }
        }
        for text in texts {
            self.text.push('\t');
            match text {
                Some(text) => self.escaped(text),
                None => self.text.push_str("\\N"),
            }
        }
        self.text.push('\n');
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                // PostgreSQL has no text with it.
                '\0' => {}
                c => self.text.push(c),
            }
        }
    }
}

fn companies(changes: &Changes, lines: &mut Lines) {
    let import = changes.imports.first().map(|import| import.id.0);
    for company in &changes.companies {
        let texts = [Some(company.key.as_str()), Some(company.name.as_str()), None];
        lines.add("company", [Some(company.id.0), import, None, None, None], texts);
    }
}

fn people(changes: &Changes, lines: &mut Lines) {
    let made_by: BTreeMap<ProspectId, ImportId> =
        changes.import_rows.iter().map(|row| (row.prospect, row.import)).collect();
    for (prospect, ways) in &changes.prospects {
        let import = made_by.get(&prospect.id).map(|import| import.0);
        let numbers = [Some(prospect.id.0), prospect.company_id.map(|id| id.0), import, None, None];
        let known = json::known_to_text(&prospect.known);
        let relationship = rows::relationship_word(prospect.relationship);
        lines.add("person", numbers, [Some(&prospect.owner.0), Some(relationship), Some(&known)]);
        for way in ways {
            let numbers = [Some(way.hash()), Some(prospect.id.0), None, None, None];
            lines.add("way", numbers, [None; 3]);
        }
    }
}

fn members(changes: &Changes, lines: &mut Lines) {
    let import = changes.imports.first().map(|import| import.id.0);
    for (list, prospect) in &changes.list_members {
        lines.add("member", [Some(list.0), Some(prospect.0), import, None, None], [None; 3]);
    }
}

fn import_rows(changes: &Changes, lines: &mut Lines) {
    for row in &changes.import_rows {
        let before = row.before.as_ref();
        let numbers = [
            Some(row.import.0),
            Some(i64::try_from(row.row).unwrap_or(i64::MAX)),
            Some(row.prospect.0),
            before.and_then(|before| before.company_id.map(|id| id.0)),
            before.and_then(|before| before.import.map(|import| import.0)),
        ];
        let known = before.map(|before| json::known_to_text(&before.known));
        let relationship = before.map(|before| rows::relationship_word(before.relationship));
        lines.add("row", numbers, [known.as_deref(), relationship, None]);
    }
}

fn recognised(changes: &Changes, lines: &mut Lines) {
    for (way, prospect) in &changes.recognised {
        lines.add("way", [Some(way.hash()), Some(prospect.0), None, None, None], [None; 3]);
    }
}
