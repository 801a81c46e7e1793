//! Whom a test is about.

use std::sync::Arc;

use crate::adapters::simulated::crowd;
use crate::domain::cadence::Cadence;
use crate::domain::facts::Facts;
use crate::domain::identity::Identity;
use crate::domain::ids::{CompanyId, ProspectId};
use crate::domain::profile::{Fit, evaluate};
use crate::domain::prospect::Prospect;
use crate::domain::settings::Settings;
use crate::domain::test_case::TestCase;
use crate::engine::preview::Basis;
use crate::engine::workspace::Workspace;
use crate::formats::test_file::person::dressed;
use crate::ports::{Changes, CompanyRecord, Store};

use super::TestError;
use crate::wiring::simulate::cast::profiles_of;

/// The person of a test: made up, complete, somebody who fits the cadence, and then as the test says.
pub(super) fn person(
    settings: &Arc<Settings>,
    workspace: &Workspace,
    cadence: &Cadence,
    test: &TestCase,
) -> Result<Prospect, TestError> {
    if settings.mailboxes.is_empty() {
        return Err(TestError::NoRep);
    }
    let basis = Basis::of_cadence(workspace, settings, cadence)?;
    let mut prospect = basis.sample().prospect;
    let profiles = profiles_of(workspace, &cadence.id);
    let facts = Facts::of(&prospect);
    if !profiles.iter().any(|p| matches!(evaluate(p, &facts).fit, Fit::Fits { .. }))
        && let Some(first) = profiles.first()
    {
        crowd::suit(first, SEED, &mut prospect.known);
    }
    prospect.id = ProspectId(1);
    prospect.known = dressed(prospect.known, &test.person);
    prospect.company_id = prospect.known.company.key().map(|_| CompanyId(1));
    prospect.relationship = test.person.relationship.unwrap_or(prospect.relationship);
    Ok(prospect)
}

/// Any; the same for all.
const SEED: u64 = 1;

/// Writes the person into the store of a test.
pub(super) async fn enter(prospect: &Prospect, store: &dyn Store) -> Result<(), TestError> {
    let company = &prospect.known.company;
    let record = |id| {
        let name = company.name.clone().unwrap_or_default();
        Some(CompanyRecord { id, key: company.key()?, name })
    };
    let emails = prospect.known.email.iter().chain(&prospect.known.other_emails);
    let identities = emails.map(Identity::of_email).collect();
    let changes = Changes {
        companies: prospect.company_id.and_then(record).into_iter().collect(),
        prospects: vec![(prospect.clone(), identities)],
        ..Changes::default()
    };
    Ok(store.write(changes).await?)
}
