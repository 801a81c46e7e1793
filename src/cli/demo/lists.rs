//! Who is in the demo, and how they come into their cadences.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::cli::Failure;
use crate::domain::ids::{CadenceId, ProspectId, RepId};
use crate::domain::prospect::Relationship;
use crate::engine::Engine;
use crate::engine::enroll::{Enrolled, Mode as EnrollMode};
use crate::engine::import::{ImportReport, ImportRequest, Mode, OnDuplicate, Source};
use crate::engine::workspace::digest;
use crate::formats::csv::{Options, Reader};
use crate::wiring::demo::Demo;

/// One of the lists that come with the program.
pub(super) struct List {
    pub name: &'static str,
    relationship: Relationship,
    /// The reps who share its people.
    reps: &'static [&'static str],
    /// The cadence in which a rep enrolls the people at once.
    pub cadence: Option<&'static str>,
}

const OUTBOUND: &[&str] = &["ann", "ben", "cleo"];

/// The people of this list come in when they ask for a demo.
pub(super) const INBOUND: &str = "demo-inbound";

pub(super) const LISTS: [List; 4] = [
    List::of_prospects("demo", OUTBOUND, Some("saas-outbound-14d")),
    List::of_prospects("demo-accounts", OUTBOUND, Some("abm-buying-group")),
    List::of_prospects(INBOUND, &["ida"], None),
    // They come in with the import, because the sale is won.
    List {
        name: "demo-customers",
        relationship: Relationship::Customer,
        reps: &["dora"],
        cadence: None,
    },
];

impl List {
    const fn of_prospects(
        name: &'static str,
        reps: &'static [&'static str],
        cadence: Option<&'static str>,
    ) -> Self {
        Self { name, relationship: Relationship::Prospect, reps, cadence }
    }
}

/// What became of a list.
pub(super) struct Listed {
    pub report: ImportReport,
    pub enrolled: Option<Enrolled>,
}

impl List {
    pub(super) fn file(&self) -> String {
        format!("lists/{}.csv", self.name)
    }

    /// Imports the list, shares its people among the reps, and enrolls them where a rep does.
    pub(super) async fn bring_in(&self, demo: &Demo, dir: &Path) -> Result<Listed, Failure> {
        let report = self.import(demo.engine(), dir).await?;
        let people = people(demo.engine(), self.name).await?;
        if self.reps.len() > 1 {
            share_out(demo.engine(), &people, self.reps).await?;
        }
        let enrolled = match self.cadence {
            Some(cadence) => {
                let cadence = CadenceId::from(cadence);
                Some(demo.engine().enroll(&people, &cadence, EnrollMode::Commit).await?)
            }
            None => None,
        };
        Ok(Listed { report, enrolled })
    }

    async fn import(&self, engine: &Engine, dir: &Path) -> Result<ImportReport, Failure> {
        let text = std::fs::read(dir.join(self.file()))?;
        let digest = digest([&String::from_utf8_lossy(&text).into_owned()]);
        let text = std::io::Cursor::new(text);
        let reader = Reader::open(text, &Options::default()).map_err(Failure::new)?;
        let request = ImportRequest {
            file: format!("{}.csv", self.name),
            digest,
            list: self.name.to_owned(),
            list_is_named: false,
            owner: RepId::from(self.reps.first().copied().unwrap_or("ann")),
            on_duplicate: OnDuplicate::Fill,
            relationship: self.relationship,
            mends: None,
            reading: BTreeMap::new(),
            mode: Mode::Commit,
        };
        Ok(engine.import(Source::new(reader), request, &mut ()).await?)
    }
}

async fn people(engine: &Engine, list: &str) -> Result<Vec<ProspectId>, Failure> {
    let Some(list) = engine.store.list(list).await? else { return Ok(Vec::new()) };
    Ok(engine.store.list_prospects(list.id).await?)
}

/// Shares people among the reps by company, so that colleagues have one owner.
async fn share_out(engine: &Engine, people: &[ProspectId], reps: &[&str]) -> Result<(), Failure> {
    let mut changes = crate::ports::Changes::default();
    for mut prospect in engine.store.prospects(people).await? {
        let company = prospect.company_id.map_or(prospect.id.0, |company| company.0);
        let index = usize::try_from(company).unwrap_or(0) % reps.len().max(1);
        if let Some(rep) = reps.get(index) {
            prospect.owner = RepId::from(*rep);
            changes.prospects.push((prospect, Vec::new()));
        }
    }
    Ok(engine.store.write(changes).await?)
}

/// When the people of the inbound list ask for a demo, in minutes behind the beginning, which is a Monday
/// at 06:00 UTC: in working hours, at night, and at the weekend.
const REQUESTS: [i64; 12] = [
    540,    // Mon 15:00
    640,    // Mon 16:40
    1_260,  // Tue 03:00, at night
    2_015,  // Tue 15:35
    2_130,  // Tue 17:30
    3_390,  // Wed 14:30
    3_700,  // Wed 19:40
    4_950,  // Thu 16:30
    6_420,  // Fri 17:00
    7_500,  // Sat 11:00
    9_420,  // Sun 19:00
    10_700, // Mon 16:20
];

/// Who asks for a demo when.
pub(super) async fn requests(
    engine: &Engine,
    begins: Timestamp,
) -> Result<Vec<(Timestamp, String)>, Failure> {
    let people = engine.store.prospects(&people(engine, INBOUND).await?).await?;
    let times = REQUESTS.iter().map(|minutes| begins + SignedDuration::from_mins(*minutes));
    let asks = people.iter().zip(times);
    Ok(asks.map(|(person, at)| (at, person.id.to_string())).collect())
}
