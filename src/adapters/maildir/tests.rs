use std::time::Duration;

use tempfile::TempDir;

use super::*;

fn maildir() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(root.path().join(part)).unwrap();
    }
    root
}

fn deliver_at(root: &TempDir, name: &str, time: SystemTime) {
    let path = root.path().join(name);
    fs::write(&path, format!("Subject: {name}\r\n\r\n")).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn deliver(root: &TempDir, name: &str, age_s: u64) {
    deliver_at(root, name, SystemTime::now() - Duration::from_secs(age_s));
}

fn rename(root: &TempDir, from: &str, to: &str) {
    fs::rename(root.path().join(from), root.path().join(to)).unwrap();
}

/// A reader that keeps nothing but the cursor, as after a restart between any two batches.
#[derive(Default)]
struct Reader {
    cursor: Option<String>,
}

impl Reader {
    async fn fetch(&mut self, root: &TempDir, limit: usize) -> Batch {
        let folders = BTreeMap::from([("alex".into(), root.path().to_owned())]);
        let inbox = Maildirs::new(folders);
        let batch = inbox.fetch(&"alex".into(), self.cursor.as_deref(), limit).await.unwrap();
        self.cursor = batch.cursor.clone();
        batch
    }

    async fn places(&mut self, root: &TempDir) -> Vec<String> {
        self.fetch(root, 100).await.messages.into_iter().map(|message| message.place).collect()
    }
}

#[tokio::test]
async fn messages_come_oldest_first_and_only_once() {
    let root = maildir();
    deliver(&root, "new/b", 300);
    deliver(&root, "cur/a:2,S", 200);
    deliver(&root, "new/d", 100);
    deliver(&root, "new/c", 100);
    deliver(&root, "new/.hidden", 100);
    fs::create_dir(root.path().join("new/folder")).unwrap();
    let mut reader = Reader::default();
    let batch = reader.fetch(&root, 100).await;
    let places: Vec<_> = batch.messages.iter().map(|message| message.place.as_str()).collect();
    assert_eq!(places[..2], ["new/b", "cur/a:2,S"]);
    assert_eq!(places.len(), 4);
    assert_eq!(batch.messages[0].bytes, b"Subject: new/b\r\n\r\n");
    assert!(!batch.more);
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
    deliver(&root, "new/e", 0);
    assert_eq!(reader.places(&root).await, ["new/e"]);
}

#[tokio::test]
async fn nothing_in_the_folder_is_changed() {
    let root = maildir();
    deliver(&root, "new/a", 10);
    let before = fs::metadata(root.path().join("new/a")).unwrap();
    Reader::default().fetch(&root, 10).await;
    let after = fs::metadata(root.path().join("new/a")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(fs::read_dir(root.path().join("cur")).unwrap().count(), 0);
}

#[tokio::test]
async fn batches_are_bounded_and_go_on_where_the_last_one_stopped() {
    let root = maildir();
    for n in 0..7 {
        deliver(&root, &format!("new/{n}"), 10_000 - n * 1000);
    }
    let mut reader = Reader::default();
    let mut read = Vec::new();
    for more in [true, true, false] {
        let batch = reader.fetch(&root, 3).await;
        assert_eq!(batch.more, more);
        read.extend(batch.messages.into_iter().map(|message| message.place));
    }
    let expected: Vec<_> = (0..7).map(|n| format!("new/{n}")).collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_message_that_is_read_by_a_person_meanwhile_is_not_a_new_one() {
    let root = maildir();
    deliver(&root, "new/1.x", 5);
    let mut reader = Reader::default();
    assert_eq!(reader.places(&root).await.len(), 1);
    rename(&root, "new/1.x", "cur/1.x:2,S");
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
    rename(&root, "cur/1.x:2,S", "cur/1.x:2,RS");
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_appears_a_little_late_is_still_read() {
    let root = maildir();
    deliver(&root, "new/newer", 10);
    let mut reader = Reader::default();
    reader.places(&root).await;
    deliver(&root, "new/late", 100);
    deliver(&root, "new/same-time", 10);
    assert_eq!(reader.places(&root).await, ["new/late", "new/same-time"]);
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_from_the_future_hides_nothing_and_comes_once() {
    let root = maildir();
    deliver_at(&root, "new/future", SystemTime::now() + Duration::from_secs(86_400));
    let mut reader = Reader::default();
    assert_eq!(reader.places(&root).await, ["new/future"]);
    deliver(&root, "new/now", 1);
    assert_eq!(reader.places(&root).await, ["new/now"]);
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
}

#[tokio::test]
async fn after_the_clock_was_set_back_everything_is_read_again() {
    let root = maildir();
    deliver(&root, "new/old", 100_000);
    let tomorrow = milliseconds(SystemTime::now() + Duration::from_secs(86_400));
    let cursor = Cursor { high_ms: Some(tomorrow), seen: BTreeMap::new() };
    let mut reader = Reader { cursor: Some(serde_json::to_string(&cursor).unwrap()) };
    deliver(&root, "new/fresh", 0);
    assert_eq!(reader.places(&root).await, ["new/old", "new/fresh"]);
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_cursor_forgets_what_can_no_longer_come() {
    let root = maildir();
    for n in 0..500 {
        deliver(&root, &format!("new/{n}"), 100_000);
    }
    deliver(&root, "new/last", 1);
    let mut reader = Reader::default();
    assert_eq!(reader.fetch(&root, 1000).await.messages.len(), 501);
    let cursor: Cursor = serde_json::from_str(&reader.cursor.clone().unwrap()).unwrap();
    assert_eq!(cursor.seen.keys().collect::<Vec<_>>(), ["last"]);
    assert_eq!(reader.places(&root).await, Vec::<String>::new());
}

#[test]
fn a_message_that_moves_between_listing_and_reading_is_followed() {
    let root = maildir();
    deliver(&root, "new/1.x", 5);
    let entry = list(root.path()).unwrap().remove("1.x").unwrap();
    rename(&root, "new/1.x", "cur/1.x:2,S");
    let message = read_message(root.path(), &entry).unwrap().unwrap();
    assert_eq!(message.place, "cur/1.x:2,S");
    fs::remove_file(root.path().join("cur/1.x:2,S")).unwrap();
    assert_eq!(read_message(root.path(), &entry).unwrap(), None);
}

#[tokio::test]
async fn an_endless_message_is_cut_and_a_batch_of_large_ones_is_split() {
    let root = maildir();
    for n in 0..10 {
        deliver(&root, &format!("new/{n}"), 1000 - n);
        let path = root.path().join(format!("new/{n}"));
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(3 * MAX_MESSAGE_BYTES as u64).unwrap();
        file.set_modified(time).unwrap();
    }
    let mut reader = Reader::default();
    let first = reader.fetch(&root, 100).await;
    assert!(first.messages.iter().all(|message| message.bytes.len() == MAX_MESSAGE_BYTES));
    assert_eq!((first.messages.len(), first.more), (8, true));
    let second = reader.fetch(&root, 100).await;
    assert_eq!((second.messages.len(), second.more), (2, false));
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_read_says_so() {
    let root = tempfile::tempdir().unwrap();
    let inbox = Maildirs::new(BTreeMap::from([("alex".into(), root.path().to_owned())]));
    let missing = inbox.fetch(&"alex".into(), None, 10).await.unwrap_err();
    assert_eq!(missing.attempted, "read the Maildir");
    let unknown = inbox.fetch(&"nobody".into(), None, 10).await.unwrap_err();
    assert_eq!(unknown.attempted, "find the Maildir");
    let garbled = inbox.fetch(&"alex".into(), Some("{"), 10).await.unwrap_err();
    assert_eq!(garbled.attempted, "read the Maildir's cursor");
}
