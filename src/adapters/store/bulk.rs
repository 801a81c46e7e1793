//! Many rows in one statement: the same text on both databases.

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Dialect, failed};
use crate::ports::StoreError;

/// Parameters of one statement at most; SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 2_400;

/// What a statement for many rows looks like around its values.
pub(super) struct Insert {
    /// Such as `insert into company (id, name)`.
    pub head: &'static str,
    pub columns: usize,
    /// Such as `on conflict do nothing`.
    pub tail: &'static str,
    pub attempted: &'static str,
}

type Bound = Query<'static, Any, AnyArguments>;

impl Insert {
    /// Inserts every row; `bind` binds the columns of one.
    pub async fn all<T>(
        &self,
        dialect: Dialect,
        tx: &mut Transaction<'static, Any>,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), StoreError> {
        let most = PARAMETERS / self.columns;
        let build = |chunk: Option<&[T]>| {
            let chunk = chunk?;
            // Only full statements are worth being remembered by the connection.
            let whole = chunk.len() == most || chunk.len() == 1;
            let query =
                sqlx::query(AssertSqlSafe(self.text(dialect, chunk.len()))).persistent(whole);
            Some(chunk.iter().fold(query, &bind))
        };
        let mut chunks = rows.chunks(most);
        let mut next = build(chunks.next());
        while let Some(query) = next {
            // While the database works on one statement, the next one is made.
            let made = async { build(chunks.next()) };
            let (done, made) = tokio::join!(query.execute(&mut **tx), made);
            done.map_err(failed(self.attempted))?;
            next = made;
        }
        Ok(())
    }

    /// SQLite takes `$1` for a name and looks each one up among all: with a thousand parameters that is
    /// most of the work, so there they have none.
    fn text(&self, dialect: Dialect, rows: usize) -> String {
        let mut text = String::with_capacity(rows * self.columns * 6 + 200);
        text.push_str(self.head);
        text.push_str(" values ");
        let mut n = 0;
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                n += 1;
                text.push_str(if column == 0 { "" } else { ", " });
                match dialect {
                    Dialect::Sqlite => text.push('?'),
                    Dialect::Postgres => text.push_str(&format!("${n}")),
                }
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.tail);
        text
    }
}
