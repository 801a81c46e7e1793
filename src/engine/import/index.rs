//! How people of a list are recognised while it comes in.
//!
//! The store keeps this in the order of hashes, so that each person falls on five other pages of it. What
//! is new is therefore held back and written in runs: sorted, a piece of neighbours with each chunk.

use std::collections::HashMap;

use crate::domain::identity::{ByIdentity, Identity};
use crate::domain::ids::ProspectId;
use crate::ports::ImportRecord;

/// A run begins when this many ways are held back, or those of a quarter of the rows that are in.
/// (It bounds the memory for them, 20 MB, and what has to be caught up on behind a crash.)
const HELD: usize = 800_000;

/// A run is written in so many pieces, but not in smaller ones than that.
const PIECES: usize = 64;
const SMALLEST_PIECE: usize = 8_192;

/// A chunk is looked up while the two before it are being written.
const ON_THE_WAY: u32 = 3;

/// Ways to recognise people that are new with this import.
#[derive(Default)]
pub(super) struct Index {
    held: ByIdentity,
    run: Option<Run>,
    pub known: Known,
}

/// What is known without asking the store.
#[derive(Default)]
pub(super) enum Known {
    /// Nothing yet.
    #[default]
    Nothing,
    /// By which ways nobody is recognised, in the store or in this import.
    Nobody(Filter),
    /// Nothing ever: there are too many people.
    TooMany,
}

/// Ways on their way into the store.
struct Run {
    /// In the order of hashes.
    ways: Vec<(Identity, ProspectId)>,
    written: usize,
    /// People of so many rows are recognised when all of it is written.
    rows: u64,
    /// Chunks since the last piece.
    age: u32,
}

impl Index {
    /// Whether the store may know anybody by it: if not, it need not be asked.
    pub fn may_be_known(&self, way: Identity) -> bool {
        match &self.known {
            Known::Nobody(filter) => filter.may_have(way),
            Known::Nothing | Known::TooMany => true,
        }
    }

    /// Who is recognised by it and may not be found in the store yet.
    pub fn get(&self, way: Identity) -> Option<ProspectId> {
        if !self.may_be_known(way) {
            return None;
        }
        let of_run = || self.run.as_ref()?.get(way);
        self.held.get(&way).copied().or_else(of_run)
    }

    /// Somebody is recognised by it from now on, unless somebody is already.
    pub fn put(&mut self, way: Identity, person: ProspectId) {
        self.held.entry(way).or_insert(person);
        if let Known::Nobody(filter) = &mut self.known {
            filter.add(way);
        }
    }

    /// Takes over a filter of everything that is in the store.
    pub fn know(&mut self, mut filter: Filter) {
        let held = self.held.keys();
        let run = self.run.iter().flat_map(|run| run.ways.iter().map(|(way, _)| way));
        held.chain(run).for_each(|way| filter.add(*way));
        self.known = Known::Nobody(filter);
    }

    /// What is written with the next chunk, whose rows the record counts already.
    pub fn next_piece(&mut self, record: &mut ImportRecord) -> Vec<(Identity, ProspectId)> {
        if self.run.as_ref().is_some_and(Run::is_over) {
            self.run = None;
        }
        let waiting = record.rows_done - record.rows_indexed;
        let is_due = self.held.len() >= HELD || waiting * 4 >= record.rows_done;
        if self.run.is_none() && is_due {
            self.run = Some(Run::new(&mut self.held, record.rows_done));
        }
        let Some(run) = &mut self.run else { return Vec::new() };
        let piece = run.next_piece();
        if run.written == run.ways.len() {
            record.rows_indexed = run.rows;
        }
        piece
    }

    /// Everything that is not written yet, behind the last chunk.
    pub fn rest(&mut self, record: &mut ImportRecord) -> Vec<(Identity, ProspectId)> {
        record.rows_indexed = record.rows_done;
        let mut rest: Vec<_> = std::mem::take(&mut self.held).into_iter().collect();
        if let Some(run) = self.run.take() {
            rest.extend_from_slice(run.ways.get(run.written..).unwrap_or_default());
        }
        rest.sort_unstable();
        rest
    }
}

impl Run {
    fn new(held: &mut ByIdentity, rows: u64) -> Self {
        let mut ways: Vec<_> = held.drain().collect();
        ways.sort_unstable();
        Self { ways, written: 0, rows, age: 0 }
    }

    fn get(&self, way: Identity) -> Option<ProspectId> {
        let at = self.ways.binary_search_by_key(&way, |(way, _)| *way).ok()?;
        self.ways.get(at).map(|(_, person)| *person)
    }

    fn next_piece(&mut self) -> Vec<(Identity, ProspectId)> {
        let rest = self.ways.get(self.written..).unwrap_or_default();
        let n = (self.ways.len() / PIECES).max(SMALLEST_PIECE).min(rest.len());
        let piece = rest.get(..n).unwrap_or_default().to_vec();
        self.age += u32::from(rest.is_empty());
        self.written += n;
        piece
    }

    /// Whether every chunk that is looked up from now on finds all of it in the store.
    fn is_over(&self) -> bool {
        self.age >= ON_THE_WAY
    }
}

/// Ways by which somebody is recognised, and a few others: a Bloom filter with the bits of a way in
/// one word. With five million ways it is wrong about one in a thousand, with twenty about one in ten.
pub(super) struct Filter {
    words: Vec<u64>,
}

/// Words of a filter, together 16 MiB; and how many ways are worth being held in it.
const WORDS: usize = 1 << 21;
pub(super) const MOST_KNOWN: usize = 20_000_000;

impl Filter {
    /// One that has nothing.
    pub fn new() -> Self {
        Self { words: vec![0; WORDS] }
    }

    pub fn add(&mut self, way: Identity) {
        let (at, bits) = Self::place(way);
        if let Some(word) = self.words.get_mut(at) {
            *word |= bits;
        }
    }

    fn may_have(&self, way: Identity) -> bool {
        let (at, bits) = Self::place(way);
        self.words.get(at).is_some_and(|word| word & bits == bits)
    }

    /// The word of a way and its four bits in there.
    fn place(way: Identity) -> (usize, u64) {
        let hash = way.hash().cast_unsigned();
        let bit = |n: u32| 1_u64 << ((hash >> (6 * n)) & 63);
        let at = usize::try_from(hash >> 24).unwrap_or(0) % WORDS;
        (at, bit(0) | bit(1) | bit(2) | bit(3))
    }
}

/// People who stood in a file, by their ids, which mostly follow each other: 64 of them in one word.
#[derive(Default)]
pub(super) struct Seen(HashMap<i64, u64>);

impl Seen {
    /// Notes somebody.
    pub fn insert(&mut self, person: ProspectId) {
        *self.0.entry(person.0 >> 6).or_default() |= 1 << (person.0 & 63);
    }

    /// Whether somebody was noted.
    pub fn has(&self, person: ProspectId) -> bool {
        self.0.get(&(person.0 >> 6)).is_some_and(|word| word & (1 << (person.0 & 63)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::budget::mix;
    use crate::domain::ids::{ImportId, ListId};
    use crate::ports::ImportStatus;

    fn record() -> ImportRecord {
        ImportRecord {
            id: ImportId(1),
            name: String::new(),
            list: ListId(1),
            list_name: String::new(),
            file: String::new(),
            digest: String::new(),
            options: std::collections::BTreeMap::new(),
            status: ImportStatus::Running,
            rows_done: 0,
            rows_indexed: 0,
            outcomes: std::collections::BTreeMap::new(),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            finished: None,
        }
    }

    fn way(n: i64) -> Identity {
        Identity::from_hash(mix(n.cast_unsigned() + 1).cast_signed() & i64::MAX)
    }

    #[test]
    fn a_filter_knows_everything_that_was_added_and_little_else() {
        let mut filter = Filter::new();
        (0..50_000).for_each(|n| filter.add(way(n)));
        assert!((0..50_000).all(|n| filter.may_have(way(n))));
        let wrong = (50_000..100_000).filter(|n| filter.may_have(way(*n))).count();
        assert!(wrong < 50, "{wrong} of 50,000");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// Chunks of any size: whoever came in is found in what is held or in what was written, where a
        /// piece counts as written only when its chunk and the two behind it were begun.
        #[test]
        fn nobody_is_lost_between_memory_and_the_store(
            chunks in proptest::collection::vec(1_i64..9_000, 1..16),
            filtered in any::<bool>(),
        ) {
            let mut index = Index::default();
            if filtered {
                index.know(Filter::new());
            }
            let mut record = record();
            let mut pieces: Vec<Vec<(Identity, ProspectId)>> = Vec::new();
            let mut next = 0;
            for chunk in chunks {
                let settled = pieces.len().saturating_sub(2);
                let stored: ByIdentity = pieces[..settled].iter().flatten().copied().collect();
                for n in (0..next).step_by(97) {
                    let found = index.get(way(n)).or_else(|| stored.get(&way(n)).copied());
                    prop_assert_eq!(found, Some(ProspectId(n)));
                    prop_assert!(index.may_be_known(way(n)));
                }
                for n in next..next + chunk {
                    index.put(way(n), ProspectId(n));
                }
                next += chunk;
                record.rows_done = next.cast_unsigned();
                pieces.push(index.next_piece(&mut record));
                let written = pieces.iter().map(Vec::len).sum::<usize>() as u64;
                prop_assert!(record.rows_indexed <= written);
            }
            pieces.push(index.rest(&mut record));
            prop_assert_eq!(record.rows_indexed, record.rows_done);
            let stored: ByIdentity = pieces.into_iter().flatten().collect();
            prop_assert_eq!(stored.len() as i64, next);
        }
    }

    #[test]
    fn whoever_was_noted_is_seen_and_nobody_else() {
        let mut seen = Seen::default();
        let noted = [1, 63, 64, 130, 1_000_000];
        noted.iter().for_each(|id| seen.insert(ProspectId(*id)));
        assert!(noted.iter().all(|id| seen.has(ProspectId(*id))));
        assert!([2, 62, 65, 129, 131, 999_999].iter().all(|id| !seen.has(ProspectId(*id))));
    }
}
