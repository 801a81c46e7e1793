//! The JSON texts inside rows: what is known of a person, where an enrollment stands, a log entry's words.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::account_json::AccountJson;
use crate::domain::cadence::{HandOff, Outcome};
use crate::domain::enrollment::{
    Account, Edited, Ending, Passed, Pause, Phase, Released, Returned, State,
};
use crate::domain::ids::{RoleId, StepId};
use crate::domain::prospect::{CompanyDraft, Phone, ProspectDraft, Range, ZoneSource};
use crate::formats::length;

/// A text in the database that is not what this version writes there.
pub(super) type Unreadable = String;

pub(super) fn to_text<T: Serialize>(value: &T) -> String {
    // Maps with string keys and plain fields: there is nothing that could fail to be written.
    serde_json::to_string(value).unwrap_or_default()
}

pub(super) fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

pub(super) fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct KnownJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salutation: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seniority: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phones: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linkedin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "no_zones")]
    time_zones: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_source: Option<Cow<'a, str>>,
    company: CompanyJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    do_not_call: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    email_opt_out: bool,
    #[serde(skip_serializing_if = "no_extra")]
    extra: Cow<'a, BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct CompanyJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    industry: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    employees: Option<(u64, Option<u64>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<(u64, Option<u64>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Cow<'a, str>>,
}

fn no_zones(zones: &[String]) -> bool {
    zones.is_empty()
}

fn no_extra(extra: &BTreeMap<String, String>) -> bool {
    extra.is_empty()
}

fn lent(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(Cow::Borrowed)
}

pub(super) fn known_to_text(known: &ProspectDraft) -> String {
    let company = &known.company;
    let pair = |range: Option<Range>| range.map(|range| (range.low, range.high));
    let phone = |phone: &'_ Phone| -> (Cow<'_, str>, Option<Cow<'_, str>>) {
        (Cow::Owned(phone.e164.clone()), phone.extension.clone().map(Cow::Owned))
    };
    to_text(&KnownJson {
        first_name: lent(&known.first_name),
        last_name: lent(&known.last_name),
        salutation: lent(&known.salutation),
        title: lent(&known.title),
        seniority: lent(&known.seniority),
        department: lent(&known.department),
        emails: known.email.iter().chain(&known.other_emails).map(ToString::to_string).collect(),
        phones: known.phones.iter().map(phone).collect(),
        linkedin: lent(&known.linkedin),
        city: lent(&known.city),
        region: lent(&known.region),
        country: lent(&known.country),
        time_zones: Cow::Borrowed(&known.time_zones),
        zone_source: known.zone_source.map(|source| source.as_str().into()),
        company: CompanyJson {
            name: lent(&company.name),
            short: lent(&company.short),
            domain: lent(&company.domain),
            industry: lent(&company.industry),
            employees: pair(company.employees),
            revenue: pair(company.revenue),
            city: lent(&company.city),
            country: lent(&company.country),
        },
        owner: lent(&known.owner),
        external_id: lent(&known.external_id),
        do_not_call: known.do_not_call,
        email_opt_out: known.email_opt_out,
        extra: Cow::Borrowed(&known.extra),
    })
}

pub(super) fn known_from_text(text: &str) -> Result<ProspectDraft, Unreadable> {
    let json: KnownJson<'_> = from_text(text)?;
    let own = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    let company = json.company;
    let mut emails = json.emails.iter().filter_map(|email| email.parse().ok());
    let range = |pair: Option<(u64, Option<u64>)>| pair.map(|(low, high)| Range { low, high });
    Ok(ProspectDraft {
        first_name: own(json.first_name),
        last_name: own(json.last_name),
        salutation: own(json.salutation),
        title: own(json.title),
        seniority: own(json.seniority),
        department: own(json.department),
        email: emails.next(),
        other_emails: emails.collect(),
        phones: json
            .phones
            .into_iter()
            .map(|(e164, extension)| Phone { e164: e164.into_owned(), extension: own(extension) })
            .collect(),
        linkedin: own(json.linkedin),
        city: own(json.city),
        region: own(json.region),
        country: own(json.country),
        time_zones: json.time_zones.into_owned(),
        zone_source: json.zone_source.as_deref().and_then(zone_source),
        company: CompanyDraft {
            name: own(company.name),
            short: own(company.short),
            domain: own(company.domain),
            industry: own(company.industry),
            employees: range(company.employees),
            revenue: range(company.revenue),
            city: own(company.city),
            country: own(company.country),
        },
        owner: own(json.owner),
        external_id: own(json.external_id),
        do_not_call: json.do_not_call,
        email_opt_out: json.email_opt_out,
        extra: json.extra.into_owned(),
    })
}

fn zone_source(name: &str) -> Option<ZoneSource> {
    ZoneSource::ALL.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

#[derive(Serialize, Deserialize)]
struct StateJson {
    phase: PhaseJson,
    day: u32,
    anchor: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    not_before: Option<i64>,
    #[serde(default)]
    tries: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    began: Option<i64>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    happened: BTreeSet<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    reply_waits: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    released: Option<ReleasedJson>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    inward: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    account: Option<AccountJson>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    passed: Vec<(String, u32, String, i64)>,
}

#[derive(Serialize, Deserialize)]
struct ReleasedJson {
    step: String,
    attempt: u32,
    /// Subject and text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    edited: Option<(String, String)>,
}

impl From<&Released> for ReleasedJson {
    fn from(released: &Released) -> Self {
        let edited = released.edited.as_ref();
        Self {
            step: released.step.0.clone(),
            attempt: released.attempt,
            edited: edited.map(|edited| (edited.subject.clone(), edited.text.clone())),
        }
    }
}

impl From<ReleasedJson> for Released {
    fn from(json: ReleasedJson) -> Self {
        let edited = json.edited.map(|(subject, text)| Edited { subject, text });
        Self { step: StepId(json.step), attempt: json.attempt, edited }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PhaseJson {
    Waiting { step: String, attempt: u32, due: i64 },
    Sending { step: String, attempt: u32, since: i64 },
    InDoubt { step: String, attempt: u32, since: i64 },
    OnTask { step: String, attempt: u32, expires: i64 },
    Triage { step: String, expires: i64 },
    OnReply { step: String, attempt: u32, left_ms: i64, expires: i64 },
    Offered { step: String, attempt: u32, hand_off: HandOffJson, expires: i64 },
    HandedBack { step: String, hand_off: HandOffJson, declined: bool, expires: i64 },
    Paused { why: PauseJson, until: Option<i64>, step: String, attempt: u32, left_ms: i64 },
    Closing { until: i64 },
    Ended { ending: String, at: i64 },
}

#[derive(Serialize, Deserialize)]
struct HandOffJson {
    to: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    brief: Option<String>,
    /// A length of time as a cadence writes it.
    within: String,
}

impl From<&HandOff> for HandOffJson {
    fn from(hand_off: &HandOff) -> Self {
        Self {
            to: hand_off.to.0.clone(),
            brief: hand_off.brief.clone(),
            within: hand_off.accept_within.to_string(),
        }
    }
}

impl TryFrom<HandOffJson> for HandOff {
    type Error = Unreadable;

    fn try_from(json: HandOffJson) -> Result<Self, Unreadable> {
        let accept_within = length::delay(&json.within).map_err(|error| error.to_string())?;
        Ok(Self { to: RoleId(json.to), brief: json.brief, accept_within })
    }
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum PauseJson {
    OutOfOffice,
    ByRep,
    ByOutcome,
    ByColleague,
}

pub(super) fn state_to_text(state: &State) -> String {
    to_text(&StateJson {
        phase: phase_to_json(&state.phase),
        day: state.day,
        anchor: state.anchor_at.as_millisecond(),
        not_before: state.not_before.map(Timestamp::as_millisecond),
        tries: state.tries,
        began: state.began_at.map(Timestamp::as_millisecond),
        happened: state.happened.clone(),
        reply_waits: state.reply_waits,
        released: state.released.as_ref().map(ReleasedJson::from),
        inward: state.inward.iter().map(|step| step.0.clone()).collect(),
        account: state.account.as_ref().map(AccountJson::from),
        passed: state
            .passed
            .iter()
            .map(|passed| {
                let step = passed.step.0.clone();
                (step, passed.attempt, passed.outcome.0.clone(), passed.at.as_millisecond())
            })
            .collect(),
    })
}

fn phase_to_json(phase: &Phase) -> PhaseJson {
    let ms = |at: &Timestamp| at.as_millisecond();
    let length_ms = |left: &SignedDuration| i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
    match phase {
        Phase::Waiting { step, attempt, due_at } => {
            PhaseJson::Waiting { step: step.0.clone(), attempt: *attempt, due: ms(due_at) }
        }
        Phase::Sending { step, attempt, since } => {
            PhaseJson::Sending { step: step.0.clone(), attempt: *attempt, since: ms(since) }
        }
        Phase::InDoubt { step, attempt, since } => {
            PhaseJson::InDoubt { step: step.0.clone(), attempt: *attempt, since: ms(since) }
        }
        Phase::OnTask { step, attempt, expires_at } => {
            PhaseJson::OnTask { step: step.0.clone(), attempt: *attempt, expires: ms(expires_at) }
        }
        Phase::Triage { step, expires_at } => {
            PhaseJson::Triage { step: step.0.clone(), expires: ms(expires_at) }
        }
        Phase::OnReply { step, attempt, left, expires_at } => PhaseJson::OnReply {
            step: step.0.clone(),
            attempt: *attempt,
            left_ms: length_ms(left),
            expires: ms(expires_at),
        },
        Phase::Offered { step, attempt, hand_off, expires_at } => PhaseJson::Offered {
            step: step.0.clone(),
            attempt: *attempt,
            hand_off: hand_off.into(),
            expires: ms(expires_at),
        },
        Phase::HandedBack { step, hand_off, why, expires_at } => PhaseJson::HandedBack {
            step: step.0.clone(),
            hand_off: hand_off.into(),
            declined: *why == Returned::Declined,
            expires: ms(expires_at),
        },
        Phase::Paused { why, until, step, attempt, left } => PhaseJson::Paused {
            why: match why {
                Pause::OutOfOffice => PauseJson::OutOfOffice,
                Pause::ByRep => PauseJson::ByRep,
                Pause::ByOutcome => PauseJson::ByOutcome,
                Pause::ByColleague => PauseJson::ByColleague,
            },
            until: until.as_ref().map(ms),
            step: step.0.clone(),
            attempt: *attempt,
            left_ms: length_ms(left),
        },
        Phase::Closing { until } => PhaseJson::Closing { until: ms(until) },
        Phase::Ended { ending, at } => {
            PhaseJson::Ended { ending: ending.as_str().to_owned(), at: ms(at) }
        }
    }
}

pub(super) fn state_from_text(text: &str) -> Result<State, Unreadable> {
    let json: StateJson = from_text(text)?;
    Ok(State {
        phase: phase_from_json(json.phase)?,
        day: json.day,
        anchor_at: timestamp(json.anchor),
        not_before: json.not_before.map(timestamp),
        tries: json.tries,
        began_at: json.began.map(timestamp),
        happened: json.happened,
        reply_waits: json.reply_waits,
        released: json.released.map(Released::from),
        inward: json.inward.into_iter().map(StepId).collect(),
        account: json.account.map(Account::try_from).transpose()?,
        passed: json
            .passed
            .into_iter()
            .map(|(step, attempt, outcome, at)| Passed {
                step: StepId(step),
                attempt,
                outcome: Outcome(outcome),
                at: timestamp(at),
            })
            .collect(),
    })
}

fn phase_from_json(json: PhaseJson) -> Result<Phase, Unreadable> {
    Ok(match json {
        PhaseJson::Waiting { step, attempt, due } => {
            Phase::Waiting { step: StepId(step), attempt, due_at: timestamp(due) }
        }
        PhaseJson::Sending { step, attempt, since } => {
            Phase::Sending { step: StepId(step), attempt, since: timestamp(since) }
        }
        PhaseJson::InDoubt { step, attempt, since } => {
            Phase::InDoubt { step: StepId(step), attempt, since: timestamp(since) }
        }
        PhaseJson::OnTask { step, attempt, expires } => {
            Phase::OnTask { step: StepId(step), attempt, expires_at: timestamp(expires) }
        }
        PhaseJson::Triage { step, expires } => {
            Phase::Triage { step: StepId(step), expires_at: timestamp(expires) }
        }
        PhaseJson::OnReply { step, attempt, left_ms, expires } => Phase::OnReply {
            step: StepId(step),
            attempt,
            left: SignedDuration::from_millis(left_ms),
            expires_at: timestamp(expires),
        },
        PhaseJson::Offered { step, attempt, hand_off, expires } => Phase::Offered {
            step: StepId(step),
            attempt,
            hand_off: hand_off.try_into()?,
            expires_at: timestamp(expires),
        },
        PhaseJson::HandedBack { step, hand_off, declined, expires } => Phase::HandedBack {
            step: StepId(step),
            hand_off: hand_off.try_into()?,
            why: if declined { Returned::Declined } else { Returned::NotAccepted },
            expires_at: timestamp(expires),
        },
        PhaseJson::Paused { why, until, step, attempt, left_ms } => Phase::Paused {
            why: match why {
                PauseJson::OutOfOffice => Pause::OutOfOffice,
                PauseJson::ByRep => Pause::ByRep,
                PauseJson::ByOutcome => Pause::ByOutcome,
                PauseJson::ByColleague => Pause::ByColleague,
            },
            until: until.map(timestamp),
            step: StepId(step),
            attempt,
            left: SignedDuration::from_millis(left_ms),
        },
        PhaseJson::Closing { until } => Phase::Closing { until: timestamp(until) },
        PhaseJson::Ended { ending, at } => {
            Phase::Ended { ending: ending_from(&ending)?, at: timestamp(at) }
        }
    })
}

pub(super) fn ending_from(word: &str) -> Result<Ending, Unreadable> {
    let known = Ending::ALL.iter().find(|(known, _)| *known == word);
    known.map(|(_, ending)| *ending).ok_or_else(|| format!("ending `{word}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::enrollment::Member;
    use crate::domain::ids::ProspectId;
    use crate::domain::time::{Delay, Unit};

    #[test]
    fn every_phase_comes_back_as_it_was_written() {
        let step = StepId::from("email-1");
        let at = timestamp(1_760_000_000_123);
        let hand_off = HandOff {
            to: RoleId::from("account_manager"),
            brief: Some("brief".into()),
            accept_within: Delay::new(4, Unit::BusinessHours),
        };
        let phases = [
            Phase::OnReply {
                step: step.clone(),
                attempt: 2,
                left: SignedDuration::from_millis(9),
                expires_at: at,
            },
            Phase::Offered {
                step: step.clone(),
                attempt: 1,
                hand_off: hand_off.clone(),
                expires_at: at,
            },
            Phase::HandedBack {
                step: step.clone(),
                hand_off,
                why: Returned::NotAccepted,
                expires_at: at,
            },
            Phase::Waiting { step: step.clone(), attempt: 2, due_at: at },
            Phase::Sending { step: step.clone(), attempt: 1, since: at },
            Phase::InDoubt { step: step.clone(), attempt: 1, since: at },
            Phase::OnTask { step: step.clone(), attempt: 1, expires_at: at },
            Phase::Triage { step: step.clone(), expires_at: at },
            Phase::Paused {
                why: Pause::OutOfOffice,
                until: Some(at),
                step: step.clone(),
                attempt: 1,
                left: SignedDuration::from_millis(7),
            },
            Phase::Closing { until: at },
            Phase::Ended { ending: Ending::NotInterested, at },
        ];
        for phase in phases {
            let passed =
                vec![Passed { step: step.clone(), attempt: 1, outcome: "sent".into(), at }];
            let state = State {
                phase,
                day: 3,
                anchor_at: at,
                not_before: Some(at),
                tries: 1,
                began_at: Some(at),
                happened: ["email_replied".to_owned()].into(),
                reply_waits: true,
                released: Some(Released {
                    step: step.clone(),
                    attempt: 2,
                    edited: Some(Edited { subject: "S".into(), text: "T\n".into() }),
                }),
                inward: ["research".into()].into(),
                account: Some(Account {
                    turn: 1,
                    members: vec![member("champion", 7, None), member("economic", 8, Some(at))],
                    replied: vec![0],
                }),
                passed,
            };
            assert_eq!(state_from_text(&state_to_text(&state)), Ok(state));
        }
    }

    fn member(role: &str, who: i64, at: Option<Timestamp>) -> Member {
        Member {
            role: role.into(),
            who: ProspectId(who),
            profile: Some(("cro".into(), "d1".to_owned())),
            left: at.map(|at| (Ending::OptedOut, at)),
            not_before: at,
        }
    }

    #[test]
    fn a_state_of_the_first_version_is_still_read() {
        let text =
            r#"{"phase":{"waiting":{"step":"email-1","attempt":1,"due":5}},"day":1,"anchor":5}"#;
        let state = state_from_text(text).unwrap();
        assert_eq!((state.began_at, state.reply_waits), (None, false));
        assert!(state.happened.is_empty());
    }

    #[test]
    fn what_is_known_of_a_person_comes_back_as_it_was_written() {
        let known = ProspectDraft {
            first_name: Some("Zoë".into()),
            email: "zoe@acme.test".parse().ok(),
            other_emails: vec!["z@acme.example".parse().unwrap()],
            phones: vec![Phone { e164: "+14155552671".into(), extension: Some("204".into()) }],
            company: CompanyDraft {
                employees: Some(Range { low: 51, high: None }),
                ..CompanyDraft::default()
            },
            time_zones: vec!["Europe/Berlin".into()],
            zone_source: Some(ZoneSource::CompanyCountry),
            do_not_call: true,
            extra: [("trigger".to_owned(), "\"hiring\"\n".to_owned())].into(),
            ..ProspectDraft::default()
        };
        assert_eq!(known_from_text(&known_to_text(&known)), Ok(known));
    }
}
