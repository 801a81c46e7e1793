//! Whom a test is about.

use std::sync::Arc;

use crate::adapters::simulated::crowd;
use crate::domain::cadence::Cadence;
use crate::domain::facts::Facts;
use crate::domain::identity::Identity;
use crate::domain::ids::{BuyerRole, CompanyId, ProspectId};
use crate::domain::profile::{Fit, Profile, evaluate};
use crate::domain::prospect::Prospect;
use crate::domain::settings::Settings;
use crate::domain::test_case::TestCase;
use crate::engine::preview::Basis;
use crate::engine::workspace::Workspace;
use crate::formats::test_file::person::dressed;
use crate::ports::{Changes, CompanyRecord, Store};

use super::TestError;
use crate::wiring::simulate::cast::profiles_of;

/// Somebody of a test, with the role that they have in a company.
pub(super) struct Actor {
    pub(super) role: Option<BuyerRole>,
    pub(super) prospect: Prospect,
}

/// The people of a test: one, or of a company one for each role that is not vacant. They are made up and
/// complete, fit the cadence, and then are as the test says.
pub(super) fn people(
    settings: &Arc<Settings>,
    workspace: &Workspace,
    cadence: &Cadence,
    test: &TestCase,
) -> Result<Vec<Actor>, TestError> {
    if settings.mailboxes.is_empty() {
        return Err(TestError::NoRep);
    }
    let basis = Basis::of_cadence(workspace, settings, cadence)?;
    let all = profiles_of(workspace, &cadence.id);
    let roles = cadence.unit.roles();
    let mut people = Vec::new();
    for (n, someone) in basis.samples().into_iter().enumerate() {
        let role = roles.get(n);
        if role.is_some_and(|(role, _)| test.vacant.contains(role)) {
            continue;
        }
        let wanted = |profile: &&Profile| role.is_none_or(|(_, id)| profile.id == *id);
        let profiles: Vec<&Profile> = all.iter().filter(wanted).collect();
        let id = ProspectId(i64::try_from(n).unwrap_or(0) + 1);
        let prospect = Prospect { id, ..someone.prospect };
        let prospect = suited(prospect, &profiles, test);
        people.push(Actor { role: role.map(|(role, _)| role.clone()), prospect });
    }
    Ok(people)
}

fn suited(mut prospect: Prospect, profiles: &[&Profile], test: &TestCase) -> Prospect {
    let facts = Facts::of(&prospect);
    let fits = |profile: &&Profile| matches!(evaluate(profile, &facts).fit, Fit::Fits { .. });
    if !profiles.iter().any(fits)
        && let Some(first) = profiles.first()
    {
        crowd::suit(first, SEED, &mut prospect.known);
    }
    // Nobody shares a number or a page with a colleague.
    for phone in &mut prospect.known.phones {
        phone.e164 = format!("+141555501{:02}", 22 + prospect.id.0);
    }
    if let Some(slug) = &mut prospect.known.linkedin {
        *slug = format!("{slug}-{}", prospect.id);
    }
    prospect.known = dressed(prospect.known, &test.person);
    prospect.company_id = prospect.known.company.key().map(|_| CompanyId(1));
    prospect.relationship = test.person.relationship.unwrap_or(prospect.relationship);
    prospect
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
