//! What would happen to one person, and what a list lacks: rendered and dated by the same functions as
//! the real thing, and never written anywhere.

use std::sync::Arc;

use jiff::Timestamp;

use super::enroll::{Admitting, Chosen, Entrance, busy, choose, no_zone, refusal};
use super::workspace::{Version, Workspace, templates_of};
use super::{Engine, EngineError, Person, zones_of, zones_there};
use crate::domain::cadence::{Admission, Cadence, Channel, Covers};
use crate::domain::enrollment::{self, Course, Member, Phase, State};
use crate::domain::ids::{BuyerRole, CadenceId, EnrollmentId, ProfileId};
use crate::domain::profile::{Matchers, Profile};
use crate::domain::prospect::Prospect;
use crate::domain::settings::Settings;
use crate::domain::suppression::{Subject, Suppression, closed_channels};
use crate::formats::cadence_file::{self, Known};
use crate::formats::diagnostic::did_you_mean;
use crate::formats::template::{Filling, TemplateSet};
use crate::ports::EnrollmentRecord;

mod account;
pub mod coverage;
mod sample;
mod walk;

pub use walk::{Does, Item, MailText, Plan};

/// A cadence that is looked at: that of the files, or the one that runs.
pub struct Basis {
    version: Arc<Version>,
    admitting: Admitting,
    settings: Arc<Settings>,
}

/// Somebody for whom it is looked at.
pub struct Someone {
    pub prospect: Prospect,
    pub blocks: Vec<Suppression>,
    history: Vec<EnrollmentRecord>,
    pub is_sample: bool,
}

/// A person on a cadence as if they began now.
pub struct Seen {
    pub person: Person,
    pub profile: Option<Profile>,
    /// Why they would not be let in, each as a sentence's part.
    pub obstacles: Vec<String>,
    /// The others of an account.
    pub colleagues: Vec<Person>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Cadence(CadenceId),
    Template(String),
}

/// Finds what a name or the path of a file stands for.
///
/// # Errors
/// Nothing has that name.
pub fn target(workspace: &Workspace, name: &str) -> Result<Target, EngineError> {
    let plain = name.trim_start_matches("./");
    let plain = plain.strip_prefix("cadences/").or_else(|| plain.strip_prefix("templates/"));
    let plain = plain.unwrap_or(name);
    let plain = plain.strip_suffix(".yaml").or_else(|| plain.strip_suffix(".hbs")).unwrap_or(plain);
    let cadences = || workspace.cadences.iter().map(|file| file.cadence.id.as_str());
    if cadences().any(|id| id == plain) {
        return Ok(Target::Cadence(CadenceId::from(plain)));
    }
    if workspace.templates.get(plain).is_some() {
        return Ok(Target::Template(plain.to_owned()));
    }
    let near = did_you_mean(plain, cadences().chain(workspace.templates.names()));
    let hint = match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; the cadences are: {}", cadences().collect::<Vec<_>>().join(", ")),
    };
    Err(EngineError::NotFound { what: "cadence or template", name: name.to_owned(), hint })
}

/// The cadences of which a step uses a template.
pub fn users<'a>(workspace: &'a Workspace, template: &str) -> Vec<&'a Cadence> {
    let uses = |cadence: &&Cadence| {
        let mut names = cadence.steps.iter().flat_map(|step| templates_of(&step.what));
        names.any(|name| name == template)
    };
    workspace.cadences.iter().map(|file| &file.cadence).filter(uses).collect()
}

/// A cadence for looking at a template that no cadence uses: everybody who fits any profile.
fn stand_in(workspace: &Workspace, calendar: &str) -> Result<Cadence, EngineError> {
    let text = format!(
        "format: cadence/v1\nid: preview\ntitle: Preview\ndays: business\ncalendar: {calendar}\n\
         enroll: {{ audience: prospects, profiles: [any] }}\n\
         steps: [{{ id: look, day: 1, task: {{ title: Look }} }}]\n"
    );
    let known = Known { applied: true, ..Known::default() };
    let (mut cadence, _) = cadence_file::parse("preview", &text, &known).map_err(|findings| {
        EngineError::Refused(findings.iter().map(ToString::to_string).collect())
    })?;
    let ids = workspace.profiles.iter().map(|file| file.profile.id.clone());
    cadence.profiles = Admission::OneOf(ids.collect());
    Ok(cadence)
}

impl Basis {
    /// A cadence as its file says.
    ///
    /// # Errors
    /// Its calendar is not in the settings.
    pub fn of_cadence(
        workspace: &Workspace,
        settings: &Arc<Settings>,
        cadence: &Cadence,
    ) -> Result<Self, EngineError> {
        let Some(clockwork) = settings.calendars.get(&cadence.calendar).cloned() else {
            let (name, hint) = (cadence.calendar.clone(), ": add it to firsttouch.toml".to_owned());
            return Err(EngineError::NotFound { what: "calendar", name, hint });
        };
        let of_roles: Vec<ProfileId> =
            cadence.unit.roles().iter().map(|(_, profile)| profile.clone()).collect();
        let wanted = match &cadence.profiles {
            _ if !of_roles.is_empty() => &of_roles[..],
            Admission::Anybody => &[][..],
            Admission::OneOf(ids) => ids,
        };
        let file = |id: &ProfileId| workspace.profiles.iter().find(|file| file.profile.id == *id);
        let profiles = wanted.iter().filter_map(file);
        let profiles: Vec<(Profile, String)> =
            profiles.map(|file| (file.profile.clone(), file.digest.clone())).collect();
        let matchers = Matchers::new(profiles.iter().map(|(profile, _)| profile));
        let (cadence, digest) = (cadence.clone(), String::new());
        let templates = workspace.templates.clone();
        let version = Arc::new(Version { cadence: cadence.clone(), templates });
        let admitting = Admitting { cadence, digest, profiles, matchers, clockwork };
        Ok(Self { version, admitting, settings: settings.clone() })
    }

    /// A template as its file says, in the first cadence that uses it.
    ///
    /// # Errors
    /// The settings have no calendar.
    pub fn of_template(
        workspace: &Workspace,
        settings: &Arc<Settings>,
        template: &str,
    ) -> Result<Self, EngineError> {
        if let Some(cadence) = users(workspace, template).first() {
            return Self::of_cadence(workspace, settings, cadence);
        }
        let calendar = settings.calendars.keys().next().map_or("standard", String::as_str);
        Self::of_cadence(workspace, settings, &stand_in(workspace, calendar)?)
    }

    /// The cadence.
    pub fn cadence(&self) -> &Cadence {
        &self.version.cadence
    }

    /// The texts.
    pub fn templates(&self) -> &TemplateSet {
        &self.version.templates
    }

    /// The person as if they were let in now; whoever would not be is spoken to in the words of the
    /// first profile.
    pub fn see(&self, someone: &Someone, now: Timestamp) -> Seen {
        let prospect = &someone.prospect;
        let chosen = choose(&self.admitting, prospect);
        let mut obstacles = self.obstacles(someone, now);
        if !someone.is_sample {
            obstacles.extend(chosen.as_ref().err().cloned());
        }
        let chosen: Chosen = chosen.ok().flatten();
        let (by, score) = match chosen {
            Some((id, _, score)) => (Some(id), score),
            None => (None, 0),
        };
        let known =
            |(profile, _): &&(Profile, String)| by.as_ref().is_none_or(|id| profile.id == *id);
        let profile =
            self.admitting.profiles.iter().find(known).map(|(profile, _)| profile.clone());
        let mut person = self.person(someone, profile.clone(), score, now);
        if let Some(state) = person.course(|course: &Course| enrollment::begin(course, now)) {
            person.enrollment.state = state;
        }
        Seen { person, profile, obstacles, colleagues: Vec::new() }
    }

    /// Why somebody would not be let in, whatever profile they fit.
    fn obstacles(&self, someone: &Someone, now: Timestamp) -> Vec<String> {
        let Someone { prospect, blocks, history, is_sample } = someone;
        if *is_sample {
            return Vec::new();
        }
        let entrance = Entrance { at: now, leaving: None };
        let closed = closed_channels(prospect, blocks);
        let zones = zones_of(prospect, &prospect.owner, &self.admitting.clockwork);
        let refused = refusal(&self.admitting, prospect, &closed);
        let busy = busy(&self.admitting, prospect.id, history, &entrance, now);
        refused.into_iter().chain(busy).chain(zones.is_empty().then(no_zone)).collect()
    }

    fn person(
        &self,
        someone: &Someone,
        profile: Option<Profile>,
        score: i64,
        now: Timestamp,
    ) -> Person {
        let prospect = &someone.prospect;
        let closed = closed_channels(prospect, &someone.blocks);
        let zones = zones_of(prospect, &prospect.owner, &self.admitting.clockwork);
        let mailbox = self.settings.mailbox_of(&prospect.owner).map(|mailbox| mailbox.id.clone());
        let enrollment = EnrollmentRecord {
            id: EnrollmentId(0),
            prospect: prospect.id,
            company: prospect.company_id,
            cadence: self.admitting.cadence.id.clone(),
            digest: self.admitting.digest.clone(),
            profile: profile.as_ref().map(|profile| (profile.id.clone(), String::new())),
            score,
            owner: prospect.owner.clone(),
            mailbox,
            state: ended(now),
            revision: 0,
            wake: None,
            enrolled_at: now,
        };
        Person {
            enrollment,
            prospect: prospect.clone(),
            version: self.version.clone(),
            profile: profile.map(Arc::new),
            clockwork: self.admitting.clockwork.clone().of(prospect),
            there: zones_there(prospect, &zones),
            zones,
            closed,
        }
    }

    /// The dated plan for a person, or for the people of a company, from now on.
    ///
    /// # Errors
    /// A step could not be decided.
    pub fn plan(&self, people: &[Someone], now: Timestamp) -> Result<Plan, EngineError> {
        let seen = match (people, &self.cadence().unit) {
            ([someone], Covers::Prospect) => self.see(someone, now),
            (people, Covers::Company { roles }) => self.see_account(people, roles, now)?,
            (_, Covers::Prospect) => {
                let message = format!("{} is for one person at a time", self.cadence().id);
                return Err(EngineError::Refused(message));
            }
        };
        walk::plan(&self.settings, seen, now)
    }

    /// One template filled in for a person, as the first step that uses it would.
    pub fn fill(&self, template: &str, someone: &Someone, now: Timestamp) -> (Seen, Filling) {
        let seen = self.see(someone, now);
        let filling = seen.fill(&self.settings, template, now);
        (seen, filling)
    }
}

impl Seen {
    /// The people of an account with their roles, in the order of the file.
    pub fn people(&self) -> Vec<(&BuyerRole, &Prospect)> {
        let account = self.person.enrollment.state.account.iter();
        let members = account.flat_map(|account| &account.members);
        let all = || [&self.person].into_iter().chain(&self.colleagues);
        let of = |member: &Member| all().find(|one| one.prospect.id == member.who);
        members.filter_map(|member| Some((&member.role, &of(member)?.prospect))).collect()
    }

    fn fill(&self, settings: &Settings, template: &str, now: Timestamp) -> Filling {
        let sender = settings.mailbox_of(&self.person.enrollment.owner);
        let context = self.person.context(sender, now);
        self.person.version.templates.filling(template, &context)
    }

    /// Whether the person may be touched on a channel.
    pub fn may(&self, channel: Channel) -> bool {
        !self.person.closed.contains(&channel)
    }
}

/// A state in which nothing happens any more.
fn ended(now: Timestamp) -> State {
    State {
        phase: Phase::Closing { until: now },
        day: 1,
        anchor_at: now,
        not_before: None,
        tries: 0,
        began_at: Some(now),
        happened: Default::default(),
        reply_waits: false,
        passed: Vec::new(),
        released: None,
        inward: [].into(),
        account: None,
    }
}

impl Engine {
    /// The cadence as it runs.
    ///
    /// # Errors
    /// It was never applied.
    pub async fn applied(&self, cadence: &CadenceId) -> Result<Basis, EngineError> {
        let admitting = self.admitting(cadence).await?;
        let version = self.version(&admitting.digest).await?;
        Ok(Basis { version, admitting, settings: self.settings.clone() })
    }

    /// A template as it runs, in the first applied cadence that has it.
    ///
    /// # Errors
    /// No applied cadence has it.
    pub async fn applied_template(&self, template: &str) -> Result<Basis, EngineError> {
        for record in self.store.current_cadences().await? {
            let basis = self.applied(&record.cadence).await?;
            if basis.templates().get(template).is_some() {
                return Ok(basis);
            }
        }
        let hint = ": leave out --applied to see the file, or run `firsttouch apply`".to_owned();
        let name = template.to_owned();
        Err(EngineError::NotFound { what: "applied cadence or template", name, hint })
    }

    /// Somebody by address or id, with what blocks them.
    ///
    /// # Errors
    /// There is no such person.
    pub async fn someone(&self, who: &str) -> Result<Someone, EngineError> {
        let missing = || EngineError::NotFound {
            what: "prospect",
            name: who.to_owned(),
            hint: ": give an address that was imported, or an id; --sample makes somebody up"
                .to_owned(),
        };
        let id = self.find_prospect(who).await?.ok_or_else(missing)?;
        let prospect = self.store.prospects(&[id]).await?.pop().ok_or_else(missing)?;
        let blocks = self.store.suppressions(&Subject::all_of(&prospect)).await?;
        let history = self.store.enrollments_of(prospect.id).await?;
        Ok(Someone { prospect, blocks, history, is_sample: false })
    }
}
