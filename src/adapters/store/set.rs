//! Many rows in one statement: they come as one JSON text in `$1`.
//!
//! Most of what a small statement costs is the way to the database and back, so whatever is written
//! often is written for as many rows as there are. The text of a statement stays the same for any
//! number of rows: a connection prepares it once.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Dialect, Fork, failed};
use crate::ports::StoreError;

/// A statement with the rows of `$1` between its two parts, as `r.value`; a row is an array, its first
/// cell is `r.value ->> 0`.
macro_rules! of_rows {
    ($head:literal, $tail:literal) => {
        $crate::adapters::store::Fork {
            sqlite: concat!($head, " json_each($1) as r ", $tail),
            postgres: concat!($head, " json_array_elements(cast($1 as json)) as r(value) ", $tail),
        }
    };
}
pub(super) use of_rows;

/// A statement for many rows.
pub(super) struct Set {
    pub sql: Fork,
    pub attempted: &'static str,
}

impl Set {
    /// Executes it for the rows, each an array; does nothing without any. How many rows it changed.
    pub(super) async fn run(
        &self,
        dialect: Dialect,
        tx: &mut Transaction<'static, Any>,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let done = sqlx::query(dialect.pick(self.sql))
            .bind(Value::Array(rows).to_string())
            .execute(&mut **tx)
            .await
            .map_err(failed(self.attempted))?;
        Ok(done.rows_affected())
    }

    /// The same for a statement that answers.
    pub(super) async fn ask(
        &self,
        dialect: Dialect,
        tx: &mut Transaction<'static, Any>,
        rows: Vec<Value>,
    ) -> Result<Vec<AnyRow>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query(dialect.pick(self.sql))
            .bind(Value::Array(rows).to_string())
            .fetch_all(&mut **tx)
            .await
            .map_err(failed(self.attempted))
    }
}
