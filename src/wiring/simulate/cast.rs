//! Whom a simulation is about: the people of a list, as they are now, or people who are drawn.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::adapters::simulated::crowd;
use crate::adapters::simulated::memory::MemoryStore;
use crate::domain::budget::mix;
use crate::domain::cadence::Admission;
use crate::domain::forecast::Assumptions;
use crate::domain::identity::Identity;
use crate::domain::ids::{
    BuyerRole, CadenceId, CompanyId, MailboxId, ProfileId, ProspectId, RepId,
};
use crate::domain::profile::Profile;
use crate::domain::prospect::{Prospect, ProspectDraft, Relationship};
use crate::domain::suppression::{Subject, Suppression};
use crate::engine::workspace::Workspace;
use crate::ports::{
    Changes, CompanyRecord, EnrollmentRecord, ListRecord, MailboxRecord, Store, StoreError,
};

/// Customers who are drawn bought on one of so many days from the first one on.
const SALES_WITHIN_DAYS: u64 = 20;

/// The dates of a customer who is drawn, in days behind the sale: a contract of one year.
const AFTER_THE_SALE: &[(&str, i64)] =
    &[("close_date", 0), ("go_live_date", 30), ("renewal_date", 365)];

/// People, and what is on record of them.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    prospects: Vec<Prospect>,
    blocks: Vec<Suppression>,
    /// Where they were and are enrolled; nothing of that goes on in the simulation.
    history: Vec<EnrollmentRecord>,
    mailboxes: BTreeMap<MailboxId, MailboxRecord>,
}

impl Cast {
    /// The people of a list, copied out of the workspace's database. Nothing is written there.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_list(
        store: &dyn Store,
        list: &ListRecord,
        mailboxes: impl Iterator<Item = &MailboxId>,
    ) -> Result<Self, StoreError> {
        let ids = store.list_prospects(list.id).await?;
        let prospects = store.prospects(&ids).await?;
        let subjects: Vec<Subject> = prospects.iter().flat_map(Subject::all_of).collect();
        let mut cast = Self { blocks: store.suppressions(&subjects).await?, ..Self::default() };
        let enrolled = store.with_history(&ids).await?;
        for prospect in &enrolled {
            let before = store.enrollments_of(*prospect).await?;
            cast.history.extend(before.into_iter().map(|r| EnrollmentRecord { wake: None, ..r }));
        }
        for id in mailboxes {
            let record = store.mailbox(id).await?;
            let ramp = MailboxRecord {
                sending_days: record.sending_days,
                last_sending_day: record.last_sending_day,
                resumed_days: record.resumed_days,
                ..MailboxRecord::default()
            };
            cast.mailboxes.insert(id.clone(), ramp);
        }
        cast.prospects = prospects;
        Ok(cast)
    }

    /// So many people who fit the cadence's profiles, shared among the reps by company; where it covers
    /// companies, each has one person for each role.
    pub fn drawn(
        workspace: &Workspace,
        cadence: &CadenceId,
        (assumed, seed): (&Assumptions, u64),
        reps: &[RepId],
        n: usize,
    ) -> Self {
        let file = workspace.cadences.iter().find(|file| file.cadence.id == *cadence);
        let roles = file.map(|file| file.cadence.unit.roles()).unwrap_or_default();
        let drafts = match roles {
            [] => crowd::draw(&profiles_of(workspace, cadence), assumed, seed, n),
            roles => crowd::draw_accounts(&of_roles(workspace, roles), assumed, seed, n),
        };
        let mut companies: BTreeMap<String, i64> = BTreeMap::new();
        let mut prospects = Vec::with_capacity(n);
        for (id, known) in (1..).zip(drafts) {
            let next = i64::try_from(companies.len()).unwrap_or(0) + 1;
            let key = known.company.key();
            let company = key.map(|key| CompanyId(*companies.entry(key).or_insert(next)));
            prospects.push(prospect(id, known, company));
        }
        let mut cast = Self { prospects, ..Self::default() };
        cast.share_out(reps);
        cast
    }

    /// The same people as customers who bought on `day` or in the weeks behind it, with every date that a
    /// cadence may count from.
    #[must_use]
    pub fn as_customers(mut self, day: Date) -> Self {
        for prospect in &mut self.prospects {
            prospect.relationship = Relationship::Customer;
            let drawn = mix(u64::try_from(prospect.id.0).unwrap_or(0));
            let offset = i64::try_from(drawn % SALES_WITHIN_DAYS).unwrap_or(0);
            let closed = day.saturating_add(offset.days());
            for (field, days) in AFTER_THE_SALE {
                let date = closed.saturating_add(days.days());
                prospect.known.extra.entry((*field).to_owned()).or_insert(date.to_string());
            }
        }
        self
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.prospects.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.prospects.is_empty()
    }

    /// How many of them each rep has.
    pub fn per_rep(&self) -> BTreeMap<RepId, usize> {
        let mut per_rep = BTreeMap::new();
        for prospect in &self.prospects {
            *per_rep.entry(prospect.owner.clone()).or_default() += 1;
        }
        per_rep
    }

    /// Shares the people evenly among reps, colleagues with the same one.
    pub fn share_out(&mut self, reps: &[RepId]) {
        for prospect in &mut self.prospects {
            let company = prospect.company_id.map_or(prospect.id.0, |company| company.0);
            let drawn = mix(u64::try_from(company).unwrap_or(0));
            let at = drawn % (reps.len() as u64).max(1);
            if let Some(rep) = reps.get(usize::try_from(at).unwrap_or(0)) {
                prospect.owner = rep.clone();
            }
        }
    }

    /// Writes everybody into the store of a simulation; who they are.
    pub(super) async fn enter(
        &self,
        memory: &MemoryStore,
        store: &dyn Store,
    ) -> Result<Vec<ProspectId>, StoreError> {
        for (id, record) in &self.mailboxes {
            memory.remember_mailbox(id, record.clone());
        }
        let changes = Changes {
            companies: self.companies(),
            prospects: self.prospects.iter().map(|p| (p.clone(), identities(&p.known))).collect(),
            suppressions: self.blocks.clone(),
            enrolled: self.history.clone(),
            ..Changes::default()
        };
        store.write(changes).await?;
        let last = self.history.iter().map(|record| record.id.0).max().unwrap_or(0);
        let used = u32::try_from(last).unwrap_or(u32::MAX);
        store.ids(crate::ports::IdKind::Enrollment, used).await?;
        Ok(self.prospects.iter().map(|prospect| prospect.id).collect())
    }

    fn companies(&self) -> Vec<CompanyRecord> {
        let record = |prospect: &Prospect| {
            let company = &prospect.known.company;
            let name = company.name.clone().unwrap_or_default();
            Some(CompanyRecord { id: prospect.company_id?, key: company.key()?, name })
        };
        self.prospects.iter().filter_map(record).collect()
    }
}

fn prospect(id: i64, known: ProspectDraft, company_id: Option<CompanyId>) -> Prospect {
    Prospect {
        id: ProspectId(id),
        company_id,
        owner: RepId::from("nobody"),
        relationship: Relationship::Prospect,
        known,
    }
}

/// The profiles that let people into a cadence.
pub(in crate::wiring) fn profiles_of(workspace: &Workspace, cadence: &CadenceId) -> Vec<Profile> {
    let file = workspace.cadences.iter().find(|file| file.cadence.id == *cadence);
    let Some(Admission::OneOf(wanted)) = file.map(|file| &file.cadence.profiles) else {
        return Vec::new();
    };
    let fits = |profile: &&Profile| wanted.contains(&profile.id);
    workspace.profiles.iter().map(|file| &file.profile).filter(fits).cloned().collect()
}

fn of_roles(workspace: &Workspace, roles: &[(BuyerRole, ProfileId)]) -> Vec<Profile> {
    let file = |id: &ProfileId| workspace.profiles.iter().find(|file| file.profile.id == *id);
    let profile = |(_, id): &(BuyerRole, ProfileId)| Some(file(id)?.profile.clone());
    roles.iter().filter_map(profile).collect()
}

/// Replies find people by these.
fn identities(known: &ProspectDraft) -> Vec<Identity> {
    let emails = known.email.iter().chain(&known.other_emails);
    emails.map(Identity::of_email).collect()
}
