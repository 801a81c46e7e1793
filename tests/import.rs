//! Lists go in by the chunk, go on behind a crash, are mended and taken back; files that are dropped
//! into the watched folder are imported once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use firsttouch::adapters::store::SqlStore;
use firsttouch::config::ListsConfig;
use firsttouch::domain::budget::Ramp;
use firsttouch::domain::delivery::{Envelope, Failure};
use firsttouch::domain::ids::{MailboxId, RepId};
use firsttouch::domain::prospect::Relationship;
use firsttouch::domain::settings::{Company, Limits, Mailbox, Settings};
use firsttouch::engine::import::{ImportReport, Mode, OnDuplicate, Outcome};
use firsttouch::engine::{Engine, EngineError, Parts};
use firsttouch::ports::{Batch, Clock, Inbox, InboxError, Mailer, Offered};
use firsttouch::wiring::list_file::{ListError, ListFile};
use firsttouch::wiring::list_inbox::ListInbox;
use firsttouch::wiring::lists::{self, Asked, ImportError, Imported, Progress};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection, Row};

struct StoppedClock(Mutex<Timestamp>);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        // No two readings are equal, as on a real clock.
        *now += SignedDuration::from_nanos(1);
        *now
    }
}

struct Nobody;

#[async_trait]
impl Mailer for Nobody {
    async fn offer(&self, _: &Envelope) -> Result<Box<dyn Offered>, Failure> {
        unreachable!("an import sends nothing")
    }
}

#[async_trait]
impl Inbox for Nobody {
    async fn fetch(&self, _: &MailboxId, _: Option<&str>, _: usize) -> Result<Batch, InboxError> {
        unreachable!("an import reads no mail")
    }
}

/// A workspace's folder, its database and an engine on it.
struct Desk {
    dir: tempfile::TempDir,
    clock: Arc<StoppedClock>,
    engine: Arc<Engine>,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("lists.db").display());
        let store = Arc::new(SqlStore::open(&url).await.unwrap());
        let now = "2026-03-02T14:00:00Z".parse().unwrap();
        let clock = Arc::new(StoppedClock(Mutex::new(now)));
        let settings = Settings {
            company: Company { name: "Us".into(), postal_address: "1 Road".into() },
            mailboxes: [("me".into(), mailbox())].into(),
            roles: BTreeMap::new(),
            calendars: BTreeMap::new(),
            limits: Limits::default(),
            linkedin: Default::default(),
            reply_freshness: SignedDuration::from_mins(15),
            bounce_window: SignedDuration::from_hours(72),
            reader_zone: TimeZone::UTC,
            secret: b"secret".to_vec(),
        };
        let engine = Engine::new(Parts {
            clock: clock.clone(),
            store,
            mailer: Arc::new(Nobody),
            inbox: Arc::new(Nobody),
            settings: Arc::new(settings),
            node: "sole".to_owned(),
        });
        Self { dir, clock, engine: Arc::new(engine) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn pass(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    async fn try_import(
        &self,
        path: &Path,
        asked: &Asked,
        progress: &mut dyn Progress,
    ) -> Result<Imported, ImportError> {
        let list = ListFile::open(path)?;
        lists::import(&self.engine, &list, asked, None, progress).await
    }

    async fn import(&self, path: &Path) -> Imported {
        self.try_import(path, &asked(), &mut ()).await.unwrap()
    }

    /// Everything that lists have put into the database.
    async fn contents(&self) -> String {
        let url = format!("sqlite:{}", self.path("lists.db").display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let mut text = String::new();
        for table in ["prospect", "recognised", "company", "list", "list_member", "import_row"] {
            let columns: String = {
                let sql =
                    format!("select group_concat(name) as c from pragma_table_info('{table}')");
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
                    .get("c")
            };
            let sql = format!("select json_array({columns}) as line from {table} order by line");
            let rows =
                sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            for row in rows {
                writeln!(text, "{table} {}", row.get::<String, _>("line")).unwrap();
            }
        }
        text
    }

    /// What is known of everybody, without ids.
    async fn people(&self) -> Vec<String> {
        let ids = self.engine.store.all_prospects().await.unwrap();
        let people = self.engine.store.prospects(&ids).await.unwrap();
        let mut people: Vec<String> =
            people.iter().map(|p| format!("{:?} {:?}", p.owner, p.known)).collect();
        people.sort();
        people
    }
}

fn mailbox() -> Mailbox {
    Mailbox {
        id: "me".into(),
        from: "me@us.example".parse().unwrap(),
        from_name: None,
        owner: RepId::from("me"),
        daily_limit: 10,
        hourly_limit: None,
        ramp: Ramp { start: 10, add_per_day: 0 },
        gap: (SignedDuration::ZERO, SignedDuration::ZERO),
        has_inbox: true,
        card: BTreeMap::new(),
        unsubscribe_url: None,
    }
}

fn asked() -> Asked {
    Asked {
        list: None,
        owner: None,
        default_country: None,
        map: Vec::new(),
        synonyms: None,
        on_duplicate: OnDuplicate::Fill,
        relationship: Relationship::Prospect,
        mode: Mode::Commit,
    }
}

fn outcomes(report: &ImportReport) -> [u64; 6] {
    Outcome::ALL.map(|(_, outcome)| report.count_of(outcome))
}

const HEADER: &str = "First Name,Last Name,Title,Company,Email,Employees,Country,Icebreaker\n";

fn rows(numbers: std::ops::Range<u32>) -> String {
    let row = |n: u32| {
        // Every hundredth person stands in the list again, a chunk or so later.
        let who = if n >= 1_200 && n.is_multiple_of(100) { n - 1_150 } else { n };
        let email = if n.is_multiple_of(97) {
            "broken@".to_owned()
        } else {
            format!("p{who}@c{}.test", who / 3)
        };
        format!("Ann{who},Reed{who},VP Sales,Company {},{email},200,US,hello {who}\n", who / 3)
    };
    numbers.map(row).collect()
}

/// Stops behind so many rows.
struct StopAt(u64, u64);

impl Progress for StopAt {
    fn at(&mut self, rows: u64, _: u64) {
        self.1 = rows;
    }

    fn stops(&self) -> bool {
        self.1 >= self.0
    }
}

#[tokio::test]
async fn an_import_that_was_stopped_goes_on_and_ends_as_one_clean_run() {
    let text = format!("{HEADER}{}", rows(0..4_300));
    let clean = Desk::new().await;
    let whole = clean.import(&clean.write("people.csv", &text)).await;
    for stop in [1, 1_200] {
        let desk = Desk::new().await;
        let path = desk.write("people.csv", &text);
        let first = desk.try_import(&path, &asked(), &mut StopAt(stop, 0)).await.unwrap();
        assert!(first.report.stopped && first.report.rows < 4_300, "{stop}");
        let second = desk.import(&path).await;
        assert_eq!(outcomes(&second.report), outcomes(&whole.report), "{stop}");
        assert_eq!(second.report.rows, 4_300);
        assert_eq!(second.report.went_on_behind, first.report.rows);
        assert_eq!(desk.people().await, clean.people().await, "{stop}");
        let mended = |desk: &Desk| fs::read_to_string(desk.path("people.fix.csv")).unwrap();
        assert_eq!(mended(&desk), mended(&clean), "{stop}");
        assert_eq!(desk.engine.store.imports().await.unwrap().len(), 1);
    }
    let [created, updated, unchanged, parked, skipped, rejected] = outcomes(&whole.report);
    assert_eq!(created + updated + unchanged + parked + skipped + rejected, 4_300);
    assert_eq!((updated, unchanged, parked), (0, 0, 0));
    assert!(skipped > 20 && rejected > 20, "{skipped} {rejected}");
}

#[tokio::test]
async fn a_process_that_dies_between_two_chunks_leaves_something_to_go_on_with() {
    struct Dies(tokio::sync::mpsc::UnboundedSender<()>);
    impl Progress for Dies {
        fn at(&mut self, rows: u64, _: u64) {
            if rows == 1_500 {
                self.0.send(()).unwrap();
            }
        }
    }
    let text = format!("{HEADER}{}", rows(0..4_300));
    let (clean, desk) = (Desk::new().await, Desk::new().await);
    let whole = clean.import(&clean.write("people.csv", &text)).await;
    let path = desk.write("people.csv", &text);
    let (dies, mut died) = tokio::sync::mpsc::unbounded_channel();
    let (asked, mut progress) = (asked(), Dies(dies));
    tokio::select! {
        biased;
        _ = died.recv() => {}
        _ = desk.try_import(&path, &asked, &mut progress) => panic!("it came to its end"),
    }
    // Its turn is not over yet: nobody knows that it is dead.
    let busy = desk.try_import(&path, &asked, &mut ()).await;
    assert!(matches!(busy, Err(ImportError::Engine(EngineError::Busy(_)))));
    desk.pass(30);
    let again = desk.import(&path).await;
    assert!(again.report.went_on_behind >= 1_500);
    assert_eq!(outcomes(&again.report), outcomes(&whole.report));
    assert_eq!(desk.people().await, clean.people().await);
}

#[tokio::test]
async fn a_stopped_import_goes_on_only_with_the_same_settings() {
    let desk = Desk::new().await;
    let path = desk.write("people.csv", &format!("{HEADER}{}", rows(0..2_500)));
    desk.try_import(&path, &asked(), &mut StopAt(1, 0)).await.unwrap();
    let other = Asked { default_country: Some("DE".into()), ..asked() };
    let refused = desk.try_import(&path, &other, &mut ()).await.err().unwrap().to_string();
    assert!(refused.contains("2026-03-02-1") && refused.contains("import undo"), "{refused}");
    let taken = desk.engine.undo_import("2026-03-02-1", false).await.unwrap();
    assert_eq!(taken.removed, 1_481);
    assert_eq!(desk.contents().await, "");
    let other = desk.try_import(&path, &other, &mut ()).await.unwrap();
    assert_eq!(other.report.rows, 2_500);
}

#[tokio::test]
async fn import_mend_import_and_undo_of_both_gives_back_the_first_database() {
    let desk = Desk::new().await;
    // Somebody whom the list adds to, somebody whom it does not, and a customer.
    let known = "First Name,Last Name,Company,Email,Country\nAda,Low,Alpha,ada@alpha.test,US\n";
    desk.import(&desk.write("known.csv", known)).await;
    let customers = "First Name,Last Name,Company,Email,Country\nCy,Cole,Gamma,cy@gamma.test,US\n";
    let asked_customers = Asked { relationship: Relationship::Customer, ..asked() };
    let path = desk.write("customers.csv", customers);
    desk.try_import(&path, &asked_customers, &mut ()).await.unwrap();
    let before = desk.contents().await;
    let list = format!(
        "{HEADER}Ada,Low,VP Sales,Alpha,ada@alpha.test,200,US,a\n\
         Bo,Hill,VP Sales,Beta,bo@,200,US,b\n\
         Cy,Cole,CEO,Gamma,cy@gamma.test,20,US,c\n\
         Di,Moss,VP Sales,Delta,di@delta.test,200,,d\n\
         Ed,Park,VP Sales,Epsilon,ed@epsilon.test,200,US,e,too,many\n"
    );
    let first = desk.import(&desk.write("march.csv", &list)).await;
    assert_eq!(outcomes(&first.report), [0, 1, 0, 1, 1, 2]);
    let path = first.to_mend.unwrap();
    let mended = fs::read_to_string(&path).unwrap();
    assert!(mended.starts_with("\u{feff}_row,_problem,_fix,First Name,"), "{mended}");
    assert_eq!(mended.lines().count(), 4, "{mended}");
    let mended = mended
        .replace("bo@,", "bo@beta.test,")
        .replace("di@delta.test,200,,d", "di@delta.test,200,US,d")
        .replace(",e,too,many", ",e");
    fs::write(&path, mended).unwrap();
    let second = desk.import(&path).await;
    assert_eq!(outcomes(&second.report), [2, 1, 0, 0, 0, 0], "{:#?}", second.report.problems);
    assert_eq!(second.report.list, "march");
    assert_eq!(second.to_mend, None);
    // Nothing is doubled when the mended file is imported once more.
    let third = desk.import(&path).await;
    assert_eq!(outcomes(&third.report), [0, 0, 3, 0, 0, 0]);
    for import in ["2026-03-02-5", "2026-03-02-4", "2026-03-02-3"] {
        let taken = desk.engine.undo_import(import, false).await.unwrap();
        assert_eq!(taken.kept, [], "{import}");
    }
    assert_eq!(desk.contents().await, before);
}

#[tokio::test]
async fn undo_keeps_whom_something_has_happened_to_and_says_why() {
    let desk = Desk::new().await;
    let list = |rows: &str| format!("First Name,Last Name,Company,Email,Title,Country\n{rows}");
    let (ann, bob, cat, dan) = (
        "Ann,A,Acme,ann@acme.test",
        "Bob,B,Acme,bob@acme.test",
        "Cat,C,Acme,cat@acme.test",
        "Dan,D,Acme,dan@acme.test",
    );
    let first = list(&format!("{ann},,US\n{bob},,US\n{cat},,US\n{dan},,US\n"));
    desk.import(&desk.write("one.csv", &first)).await;
    // Another list says more of Ann, and has Bob as he is; Cat is blocked by hand.
    let second = list(&format!("{ann},CEO,US\n{bob},,US\n"));
    desk.import(&desk.write("two.csv", &second)).await;
    let cat_is = desk.engine.store.prospects_by_email(&["cat@acme.test".parse().unwrap()]).await;
    let entry = firsttouch::domain::log::Entry {
        prospect: cat_is.unwrap().first().copied(),
        ..firsttouch::domain::log::Entry::new(
            desk.engine.now(),
            firsttouch::domain::log::What::Suppressed,
        )
    };
    let changes = firsttouch::ports::Changes { log: vec![entry], ..Default::default() };
    desk.engine.store.write(changes).await.unwrap();
    let dry = desk.engine.undo_import("2026-03-02-1", true).await.unwrap();
    let before = desk.contents().await;
    assert_eq!((dry.removed, dry.restored), (1, 0));
    let taken = desk.engine.undo_import("2026-03-02-1", false).await.unwrap();
    assert_eq!(taken, dry);
    let why: Vec<(&str, &str)> =
        taken.kept.iter().map(|(_, name, why)| (name.as_str(), *why)).collect();
    assert_eq!(
        why,
        [
            ("Ann A", "was changed by a later import: take that one back first"),
            ("Bob B", "stands on another list as well"),
            ("Cat C", "was enrolled, touched or heard from since"),
        ]
    );
    assert_ne!(desk.contents().await, before);
    // When the reason is gone, the rest can be taken back.
    desk.engine.undo_import("2026-03-02-2", false).await.unwrap();
    let taken = desk.engine.undo_import("2026-03-02-1", false).await.unwrap();
    assert_eq!((taken.removed, taken.reasons.values().sum::<u64>()), (2, 1));
    let missing = desk.engine.undo_import("2026-03-02-9", false).await.err().unwrap().to_string();
    assert!(missing.contains("2026-03-02-2"), "{missing}");
}

#[tokio::test]
async fn a_dry_run_counts_as_the_real_one_and_changes_nothing() {
    let desk = Desk::new().await;
    let path = desk.write("people.csv", &format!("{HEADER}{}", rows(0..2_500)));
    let dry = Asked { mode: Mode::DryRun, ..asked() };
    let would = desk.try_import(&path, &dry, &mut ()).await.unwrap();
    assert_eq!(desk.contents().await, "");
    assert!(!desk.path("people.fix.csv").exists());
    assert_eq!(desk.engine.store.imports().await.unwrap(), []);
    let did = desk.import(&path).await;
    assert_eq!(outcomes(&did.report), outcomes(&would.report));
    assert_eq!(did.report.problems, would.report.problems);
}

#[tokio::test]
async fn people_who_must_not_be_imported_are_skipped_by_category() {
    let desk = Desk::new().await;
    desk.engine.suppress("no@acme.test", "ann").await.unwrap();
    desk.engine.suppress("rival.test", "ann").await.unwrap();
    let customers = Asked { relationship: Relationship::Customer, ..asked() };
    let one = "First Name,Last Name,Email,Country\nCy,Cole,cy@gamma.test,US\n";
    desk.try_import(&desk.write("customers.csv", one), &customers, &mut ()).await.unwrap();
    let list = "First Name,Last Name,Email,Country,Email Opt Out\n\
        Ann,A,no@acme.test,US,\nBob,B,bob@rival.test,US,\nCy,Cole,cy@gamma.test,US,\n\
        Dan,D,dan@delta.test,US,true\nDan,D,dan@delta.test,US,\n";
    let report = desk.import(&desk.write("list.csv", list)).await.report;
    assert_eq!(outcomes(&report), [1, 0, 0, 0, 4, 0]);
    let why = |row: u64| &report.problems.iter().find(|p| p.row == row).unwrap().problem.problem;
    assert_eq!(why(1), "is on the do-not-contact list");
    assert_eq!(why(2), "is on the do-not-contact list");
    assert_eq!(why(3), "is a customer");
    assert_eq!(why(5), "stands twice in this file");
    // The opt-out of the list is a block from now on, and outlives the import.
    desk.engine.undo_import("2026-03-02-2", false).await.unwrap();
    let again = desk.import(&desk.path("list.csv")).await.report;
    assert_eq!(outcomes(&again), [0, 0, 0, 0, 5, 0]);
}

#[tokio::test]
async fn a_list_is_added_to_only_by_its_name() {
    let desk = Desk::new().await;
    let head = "First Name,Last Name,Email,Country\n";
    desk.import(&desk.write("a/people.csv", &format!("{head}Ann,A,ann@a.test,US\n"))).await;
    let other = desk.write("b/people.csv", &format!("{head}Bob,B,bob@b.test,US\n"));
    let refused = desk.try_import(&other, &asked(), &mut ()).await.err().unwrap().to_string();
    assert!(refused.contains("--list people"), "{refused}");
    let named = Asked { list: Some("people".into()), ..asked() };
    desk.try_import(&other, &named, &mut ()).await.unwrap();
    let list = desk.engine.store.list("people").await.unwrap().unwrap();
    assert_eq!(desk.engine.store.list_prospects(list.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_leaves_nothing_behind() {
    let desk = Desk::new().await;
    let path = desk.write("people.csv", &format!("{HEADER}{}", rows(0..50)));
    let list = ListFile::open(&path).unwrap();
    fs::write(&path, format!("{HEADER}{}", rows(0..60))).unwrap();
    let done = lists::import(&desk.engine, &list, &asked(), None, &mut ()).await;
    let said = done.err().unwrap().to_string();
    assert!(said.contains("changed while it was read"), "{said}");
    assert_eq!(desk.contents().await, "");
    assert_eq!(desk.engine.store.imports().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_no_list_is_told_so() {
    let desk = Desk::new().await;
    let path = desk.path("nowhere.csv");
    let said = |path: &Path| ListFile::open(path).err().unwrap().to_string();
    assert!(said(&path).ends_with("nowhere.csv: there is no such file"), "{}", said(&path));
    assert!(said(desk.dir.path()).ends_with("is a folder: name the file in it"));
    assert!(matches!(ListFile::open(Path::new("/dev/null")), Err(ListError::NoFile { .. })));
}

#[tokio::test]
async fn rows_to_mend_come_back_in_the_encoding_and_with_the_delimiter_of_their_list() {
    let text = "Vorname;Nachname;Firma;E-Mail;Land\nJürgen;Groß;=Müller;jg@;DE\n";
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [vec![0xff, 0xfe], units.collect()].concat()
    };
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let cases: [(&str, Vec<u8>); 2] = [("utf16.csv", utf16(text)), ("latin.csv", latin(text))];
    for (name, bytes) in cases {
        let desk = Desk::new().await;
        let path = desk.path(name);
        fs::write(&path, &bytes).unwrap();
        let path = desk.import(&path).await.to_mend.unwrap();
        let mended = fs::read(&path).unwrap();
        let mended = match name {
            "utf16.csv" => {
                assert_eq!(mended[..2], [0xff, 0xfe]);
                let units: Vec<u16> =
                    mended[2..].chunks(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
                String::from_utf16(&units).unwrap()
            }
            _ => mended.iter().map(|byte| char::from(*byte)).collect(),
        };
        let row = mended.lines().nth(1).unwrap();
        assert!(mended.starts_with("_row;_problem;_fix;Vorname;"), "{mended}");
        assert!(row.starts_with("1;") && row.contains(";Jürgen;Groß;'=Müller;jg@;DE"), "{mended}");
    }
}

fn words(report: &ImportReport, _: Option<&Path>) -> String {
    format!("{} rows\n", report.rows)
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_list_in_the_watched_folder_is_imported_once_it_is_complete_and_only_once() {
    let desk = Desk::new().await;
    let config = ListsConfig { owner: None, default_country: Some("US".into()) };
    let mut inbox = ListInbox::new(desk.engine.clone(), desk.dir.path(), config, words).unwrap();
    let text = format!("{HEADER}{}", rows(1..40));
    let path = desk.write("lists/inbox/march.csv", &text);
    desk.write("lists/inbox/half.csv.part", "First Na");
    inbox.look().await;
    assert_eq!(desk.people().await.len(), 0, "nobody knows whether it is complete");
    desk.pass(3);
    fs::write(&path, format!("{text}{}", rows(40..50))).unwrap();
    inbox.look().await;
    desk.pass(3);
    inbox.look().await;
    assert_eq!(desk.people().await.len(), 0, "it has just grown");
    desk.pass(3);
    inbox.look().await;
    assert_eq!(desk.people().await.len(), 49);
    let (done, failed) = (desk.path("lists/done"), desk.path("lists/failed"));
    assert_eq!(names(&done), ["2026-03-02-1-march.csv", "2026-03-02-1-march.csv.report.txt"]);
    assert_eq!(names(&desk.path("lists/inbox")), ["half.csv.part"]);
    // The same content under another name, something that is no list, and a list of nobody's.
    fs::copy(done.join("2026-03-02-1-march.csv"), desk.path("lists/inbox/again.csv")).unwrap();
    desk.write("lists/inbox/book.xlsx", "PK\u{3}\u{4}rest");
    desk.write("lists/inbox/zed/other.csv", &format!("{HEADER}{}", rows(60..62)));
    inbox.look().await;
    desk.pass(6);
    inbox.look().await;
    assert_eq!(desk.people().await.len(), 49);
    let report = |name: &str| fs::read_to_string(name).unwrap();
    let again = report(done.join("2026-03-02-1-again.csv.report.txt").to_str().unwrap());
    assert!(again.contains("import 2026-03-02-1 already"), "{again}");
    let book = report(failed.join("book.xlsx.report.txt").to_str().unwrap());
    assert!(book.contains("save"), "{book}");
    let other = report(failed.join("other.csv.report.txt").to_str().unwrap());
    assert!(other.contains("`zed`"), "{other}");
    let mine: Vec<RepId> = desk.engine.settings.reps();
    assert_eq!(mine, [RepId::from("me")]);
}

#[tokio::test]
async fn what_was_said_of_columns_once_holds_for_the_next_file_of_that_kind() {
    let desk = Desk::new().await;
    let text = |name: &str| format!("Vorname,Direkt,Land\n{name},{name}@a.test,US\n");
    let first = desk.write("one.csv", &text("ann"));
    let refused = desk.try_import(&first, &asked(), &mut ()).await.err().unwrap().to_string();
    assert!(refused.contains("Direkt"), "{refused}");
    let map = vec![("Direkt".to_owned(), "email".to_owned())];
    desk.try_import(&first, &Asked { map, ..asked() }, &mut ()).await.unwrap();
    let second = desk.import(&desk.write("two.csv", &text("bob"))).await.report;
    assert_eq!(outcomes(&second), [1, 0, 0, 0, 0, 0]);
    let bob = ["bob@a.test".parse().unwrap()];
    assert_eq!(desk.engine.store.prospects_by_email(&bob).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_header_without_rows_is_told_and_imports_nothing() {
    let desk = Desk::new().await;
    let path = desk.write("header.csv", "First Name,Email,Country\n");
    let said = desk.try_import(&path, &asked(), &mut ()).await.err().unwrap().to_string();
    assert!(
        said.ends_with("there is a header and no row below it; export the list again"),
        "{said}"
    );
    assert_eq!(desk.engine.store.imports().await.unwrap(), []);
}
