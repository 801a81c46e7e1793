//! The database as a whole.

use std::fs;

use serde_json::Value;

use crate::{Life, Server, all_sums, ask, raw, text};

/// Every row of every table, as texts, in an order that does not depend on the database; what the
/// catalogue names is read, so that no table can be forgotten.
async fn everything(url: &str) -> Vec<String> {
    use sqlx::{AssertSqlSafe, Row};
    let pool = raw(url).await;
    let is_sqlite = url.starts_with("sqlite:");
    let tables = match is_sqlite {
        true => "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
        false => {
            "select cast(tablename as text) as name from pg_tables where schemaname = 'public'"
        }
    };
    let mut all = Vec::new();
    let names = sqlx::query(AssertSqlSafe(tables)).fetch_all(&pool).await.unwrap();
    for row in names {
        let name: String = row.get(0);
        if name == "_sqlx_migrations" || name == "import_staging" {
            continue;
        }
        let columns = match is_sqlite {
            true => format!("select name from pragma_table_info('{name}') order by name"),
            false => format!(
                "select cast(column_name as text) from information_schema.columns \
                 where table_schema = 'public' and table_name = '{name}' order by column_name collate \"C\""
            ),
        };
        let columns = sqlx::query(AssertSqlSafe(columns)).fetch_all(&pool).await.unwrap();
        let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
        let shown = columns
            .iter()
            .map(|column| format!("coalesce('=' || cast({column} as text), 'null')"))
            .collect::<Vec<_>>()
            .join(" || '|' || ");
        let rows = sqlx::query(AssertSqlSafe(format!("select {shown} from {name}")));
        for row in rows.fetch_all(&pool).await.unwrap() {
            all.push(format!("{name}: {}", row.get::<String, _>(0)));
        }
        all.push(format!("{name} has {}", columns.join(", ")));
    }
    pool.close().await;
    all.sort();
    all
}

#[tokio::test]
async fn a_life_is_copied_to_postgresql_and_back_without_losing_a_byte() {
    let life = Life::lived();
    // What no demo has: every kind of text, and a hold.
    life.works(&["hold-all", "a \"reason\" – 'ça' \\ {}"]);
    let before = everything(&life.url()).await;
    assert!(before.len() > 3_000, "{}", before.len());
    let like = format!("sqlite:{}", life.path("like.db").display());
    assert!(life.works(&["db", "copy", &like]).contains("the same on both sides"));
    assert_eq!(everything(&like).await, before);
    let Some(server) = Server::asked_for().await else { return };
    let url = server.database(None).await;
    let told: Value = serde_json::from_str(&life.works(&["db", "copy", &url, "--json"])).unwrap();
    assert_eq!(everything(&url).await, before);
    let tables = told["tables"].as_array().unwrap();
    let sums = all_sums(&life.url()).await;
    assert_eq!(tables.len(), sums.len());
    for table in tables {
        let own = sums.iter().find(|sum| sum.table == table["table"]).unwrap();
        assert_eq!(
            (&table["rows"], &table["checksum"]),
            (&own.rows.into(), &own.checksum.as_str().into())
        );
    }
    let back = format!("sqlite:{}", life.path("back.db").display());
    let toml = life.workspace().join("firsttouch.toml");
    let settings = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, with_store(&settings, &format!("url = \"{url}\""))).unwrap();
    life.works(&["db", "copy", &back]);
    assert_eq!(everything(&back).await, before);
    assert!(life.works(&["verify"]).starts_with("ok"));
    assert!(life.works(&["db", "check"]).contains("ok  schema"));
    let refused = life.fails(&["db", "backup", "x.db"], 1);
    assert!(refused.contains("pg_dump") && refused.contains("secret"), "{refused}");
    let refused = life.fails(&["db", "restore", text(&life.path("like.db"))], 1);
    assert!(refused.contains("pg_restore") && refused.contains("hold-all"), "{refused}");
    server.drop(&url).await;
}

/// The settings with another database.
fn with_store(settings: &str, line: &str) -> String {
    let without: Vec<&str> = settings
        .lines()
        .filter(|line| {
            !line.starts_with("[store]") && !line.starts_with("path = \"firsttouch.db\"")
        })
        .collect();
    format!("{}\n[store]\n{line}\n", without.join("\n"))
}

#[tokio::test]
async fn a_copy_into_a_database_with_rows_or_of_one_at_work_is_refused() {
    let life = Life::lived();
    let full = life.copy(1);
    let refused = life.fails(&["db", "copy", &full], 1);
    assert!(refused.contains("not empty"), "{refused}");
    assert_eq!(everything(&full).await, everything(&life.url()).await);
    let refused = life.fails(&["db", "copy", &life.url()], 1);
    assert!(refused.contains("itself"), "{refused}");
    let refused = life.fails(&["db", "copy", "nowhere"], 7);
    assert!(refused.contains("postgres://"), "{refused}");
    let lock = fs::File::create(life.workspace().join("firsttouch.db.lock")).unwrap();
    lock.lock().unwrap();
    let like = format!("sqlite:{}", life.path("like.db").display());
    for arguments in [vec!["db", "copy", &like], vec!["verify", "--repair"], vec!["db", "migrate"]]
    {
        if arguments != ["db", "migrate"] {
            let refused = life.fails(&arguments, 7);
            assert!(refused.contains("another firsttouch runs"), "{refused}");
        }
    }
    // Looking disturbs nobody.
    for arguments in [&["verify"][..], &["verify", "--repair", "--dry-run"], &["db", "stats"]] {
        life.works(arguments);
    }
}

#[tokio::test]
async fn a_backup_is_whole_and_its_restore_starts_on_hold() {
    let life = Life::lived();
    let file = life.path("monday.db");
    let told = life.works(&["db", "backup", text(&file)]);
    assert!(told.contains("integrity ok") && told.contains(".secret"), "{told}");
    assert!(!life.works(&["db", "stats"]).is_empty());
    let key = fs::read(life.workspace().join(".firsttouch/secret")).unwrap();
    assert_eq!(fs::read(life.path("monday.db.secret")).unwrap(), key);
    assert!(life.fails(&["db", "backup", text(&file)], 1).contains("there already"));
    let before = everything(&life.url()).await;
    assert_eq!(everything(&format!("sqlite:{}", file.display())).await, before);

    // What comes behind the copy is gone with the restore, and lies beside it.
    life.works(&["suppress", "add", "late@elsewhere.test"]);
    fs::write(life.workspace().join(".firsttouch/secret"), [b'0'; 64]).unwrap();
    let lock = fs::File::create(life.workspace().join("firsttouch.db.lock")).unwrap();
    lock.lock().unwrap();
    let refused = life.fails(&["db", "restore", text(&file)], 7);
    assert!(refused.contains("another firsttouch runs"), "{refused}");
    assert!(life.works(&["db", "restore", text(&file), "--verify-only"]).starts_with("ok"));
    drop(lock);
    let told = life.works(&["db", "restore", text(&file)]);
    assert!(told.contains("on hold") && told.contains("the other one is"), "{told}");
    assert_eq!(fs::read(life.workspace().join(".firsttouch/secret")).unwrap(), key);
    assert!(life.works(&["holds"]).contains("restored"));
    let pool = raw(&life.url()).await;
    let late = "select value from suppression where value = 'late@elsewhere.test'";
    assert_eq!(ask(&pool, late).await, None);
    assert!(ask(&pool, "select value from meta where key = 'restored_at'").await.is_some());
    pool.close().await;
    let aside = fs::read_dir(life.workspace()).unwrap().filter_map(Result::ok);
    let aside = aside.map(|entry| entry.path()).find(|path| {
        path.to_string_lossy().contains("before-restore") && !text(path).ends_with("shm")
    });
    let pool = raw(&format!("sqlite:{}", aside.expect("the old one").display())).await;
    assert!(ask(&pool, late).await.is_some(), "the database of before is kept");
    pool.close().await;
    assert!(life.works(&["verify"]).starts_with("ok"));
}

#[tokio::test]
async fn what_cannot_be_restored_changes_nothing() {
    let life = Life::lived();
    let before = everything(&life.url()).await;
    let broken = life.path("broken.db");
    let mut bytes = fs::read(life.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40_000].fill(7);
    fs::write(&broken, bytes).unwrap();
    fs::write(life.path("letter.db"), "Dear Ann,").unwrap();
    fs::write(life.path("empty.db"), "").unwrap();
    for name in ["broken.db", "letter.db", "empty.db", "none.db"] {
        let file = life.path(name);
        for arguments in
            [&["db", "restore", text(&file)][..], &["db", "restore", text(&file), "--verify-only"]]
        {
            let refused = life.fails(arguments, 1);
            assert!(refused.contains(name), "{refused}");
        }
    }
    assert_eq!(everything(&life.url()).await, before);
}

#[tokio::test]
async fn an_older_schema_is_told_and_brought_up_to_date_with_a_copy_of_before() {
    let life = Life::lived();
    let pool = raw(&life.url()).await;
    for sql in [
        "delete from _sqlx_migrations where version >= 10",
        "drop index enrollment_begun_of",
        "drop index task_metered",
        "alter table task drop column metered",
        "alter table mailbox drop column resumed_days",
        "drop index enrollment_sending",
        "drop index enrollment_owner_away",
        "drop index task_of_enrollment",
        "create index task_of_enrollment on task (enrollment_id) where closed_at is null",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let told = String::from_utf8(life.run(&["db", "check"]).stdout).unwrap();
    assert!(told.contains("firsttouch db migrate"), "{told}");
    assert!(life.works(&["db", "migrate", "--dry-run"]).contains("Nothing was changed"));
    life.fails(&["verify"], 7);
    assert!(life.works(&["db", "migrate"]).contains("As it was before"));
    assert!(life.works(&["db", "migrate"]).contains("nothing to do"));
    assert!(life.works(&["verify"]).starts_with("ok"));
}
