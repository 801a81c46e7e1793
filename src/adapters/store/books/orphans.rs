//! Rows that belong to a row that is not there. The databases see to most of it; a repaired file, or one
//! that was edited by hand, may have them all the same.

use super::{NAMED, SqlBooks};
use crate::adapters::store::get;
use crate::domain::audit::{Finding, Mend, Rule};
use crate::domain::identity::Identity;
use crate::ports::StoreError;

/// Table, what names its row, the column, and the table in which that must be found.
const BELONGS: [(&str, &str, &str, &str); 19] = [
    ("transition", "enrollment_id", "enrollment_id", "enrollment"),
    ("touch", "id", "enrollment_id", "enrollment"),
    ("touch", "id", "prospect_id", "prospect"),
    ("task", "id", "enrollment_id", "enrollment"),
    ("milestone", "enrollment_id", "enrollment_id", "enrollment"),
    ("milestone", "enrollment_id", "touch_id", "touch"),
    ("account_member", "enrollment_id", "enrollment_id", "enrollment"),
    ("account_member", "enrollment_id", "prospect_id", "prospect"),
    ("enrollment", "id", "prospect_id", "prospect"),
    ("enrollment", "id", "company_id", "company"),
    ("event", "id", "enrollment_id", "enrollment"),
    ("event", "id", "prospect_id", "prospect"),
    ("inbound", "id", "prospect_id", "prospect"),
    ("inbound", "id", "enrollment_id", "enrollment"),
    ("inbound", "id", "touch_id", "touch"),
    ("prospect", "id", "company_id", "company"),
    ("list_member", "prospect_id", "list_id", "list"),
    ("list_member", "prospect_id", "prospect_id", "prospect"),
    ("told_event", "prospect_id", "prospect_id", "prospect"),
];

pub(super) async fn of(books: &SqlBooks) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    for (table, name, column, other) in BELONGS {
        let sql = format!(
            "select distinct c.{name} as name, c.{column} as wanted from {table} c \
             where c.{column} is not null and not exists \
             (select 1 from {other} o where o.id = c.{column}) order by 1, 2 limit {NAMED}"
        );
        for row in &books.read(sql, Vec::new()).await? {
            let (name, wanted): (i64, i64) = (get(row, "name")?, get(row, "wanted")?);
            let (row, stands) = (format!("{table} {name}"), format!("{column} {wanted}"));
            let should = format!("a row of {other}, which is not there");
            found.push(Finding::new(Rule::Orphan, row, stands, should));
        }
    }
    found.extend(recognised(books).await?);
    Ok(found)
}

/// Ways to nobody are only an index.
async fn recognised(books: &SqlBooks) -> Result<Vec<Finding>, StoreError> {
    let sql = "select hash, prospect_id from recognised r where not exists \
         (select 1 from prospect p where p.id = r.prospect_id) order by hash limit 1000";
    let mut found = Vec::new();
    for row in &books.read(sql, Vec::new()).await? {
        let (hash, who): (i64, i64) = (get(row, "hash")?, get(row, "prospect_id")?);
        let stands = format!("leads to prospect {who}, who is not there");
        let finding = Finding::new(Rule::Identity, format!("recognised {hash}"), stands, "no row");
        found.push(finding.mended_by(Mend::Forget(Identity::from_hash(hash))));
    }
    Ok(found)
}
