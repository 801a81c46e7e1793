//! `firsttouch.toml` and the environment: one validated [`Config`], or every reason why not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::domain::address::EmailAddress;
use crate::domain::budget::Ramp;
use crate::domain::ids::{MailboxId, RepId, RoleId};
use crate::domain::settings::{Clockwork, Company, LEASE, Limits, LinkedIn, Mailbox, RepZones};
use crate::domain::time::Unit;
use crate::formats::diagnostic::did_you_mean;
use crate::formats::yaml::reading::is_slug;
use crate::formats::{call_hours, length};

mod calendars;

use calendars::RawCalendar;

/// A variable of the environment, unless it is empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where temporary folders are made.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// A shorter lease is lost while a node is only busy.
const LEASE_AT_LEAST: SignedDuration = SignedDuration::from_secs(5);

/// The name of the file in a workspace.
pub const FILE: &str = "firsttouch.toml";

/// Everything that the settings say, checked.
#[derive(Debug)]
pub struct Config {
    pub database: String,
    pub company: Company,
    pub mailboxes: Vec<MailboxConfig>,
    /// `[[rep]]`: people of our team by what they do.
    pub roles: BTreeMap<RepId, Vec<RoleId>>,
    pub calendars: BTreeMap<String, Clockwork>,
    pub limits: Limits,
    /// What LinkedIn takes from one account.
    pub linkedin: LinkedIn,
    pub reply_freshness: SignedDuration,
    pub poll_every: SignedDuration,
    /// How long a node that is gone keeps its mailboxes.
    pub lease: SignedDuration,
    pub bounce_window: SignedDuration,
    pub reader_zone: TimeZone,
    /// Mails a minute, inside one process: from one mailbox, and to one domain.
    pub pacing: (u32, u32),
    pub log_json: bool,
    /// Lists that are dropped into `lists/inbox/`.
    pub lists: ListsConfig,
    /// What works but should be looked at, whatever the day.
    warnings: Vec<String>,
    /// Whether a calendar has the holidays of a country, which are known for some years only.
    counts_on_shipped: bool,
}

/// What is not said by a list that nobody attends.
#[derive(Debug, Clone, Default)]
pub struct ListsConfig {
    /// Whose people they are, unless the list lies in a rep's folder.
    pub owner: Option<RepId>,
    pub default_country: Option<String>,
}

/// A mailbox with the way in and the way out.
#[derive(Debug)]
pub struct MailboxConfig {
    pub mailbox: Mailbox,
    pub smtp: Option<Server>,
    pub inbox: Option<InboxConfig>,
}

/// Where a mailbox's replies are read.
#[derive(Debug)]
pub enum InboxConfig {
    Maildir(PathBuf),
    Imap(Server),
}

/// A server and how to sign in.
#[derive(Debug, Clone)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: TlsMode,
    pub user: Option<String>,
    pub password: Option<SecretSource>,
    pub ca_file: Option<PathBuf>,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    None,
    StartTls,
    Implicit,
}

/// Where a secret comes from. A secret itself never stands in a message.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum SecretSource {
    Plain(String),
    File { file: PathBuf },
    Env { env: String },
    Credential { credential: String },
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    /// The file or variable is not there; the message names it.
    pub fn read(&self, workspace: &Path) -> Result<String, String> {
        let read = |path: &Path| {
            let path = workspace.join(path);
            let text = std::fs::read_to_string(&path);
            text.map_err(|error| format!("cannot read the secret in {}: {error}", path.display()))
        };
        let text = match self {
            Self::Plain(text) => text.clone(),
            Self::File { file } => read(file)?,
            Self::Env { env } => std::env::var(env).map_err(|_| {
                format!("the environment has no variable {env}, which holds a secret")
            })?,
            Self::Credential { credential } => {
                let folder = std::env::var("CREDENTIALS_DIRECTORY").map_err(|_| {
                    format!("credential `{credential}`: $CREDENTIALS_DIRECTORY is not set; start with systemd")
                })?;
                read(&Path::new(&folder).join(credential))?
            }
        };
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    time_zone: Option<String>,
    store: RawStore,
    company: RawCompany,
    mailbox: Vec<RawMailbox>,
    rep: Vec<RawRep>,
    calendar: BTreeMap<String, RawCalendar>,
    call_hours: Vec<call_hours::Entry>,
    limits: RawLimits,
    linkedin: RawLinkedIn,
    inbox: RawInbox,
    nodes: RawNodes,
    lists: RawLists,
    pacing: RawPacing,
    log: RawLog,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLists {
    owner: Option<String>,
    default_country: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawStore {
    path: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawCompany {
    name: String,
    postal_address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMailbox {
    id: String,
    from: String,
    owner: Option<String>,
    daily_limit: Option<u32>,
    hourly_limit: Option<u32>,
    ramp: Option<RawRamp>,
    gap: Option<[String; 2]>,
    title: Option<String>,
    phone: Option<String>,
    calendar_link: Option<String>,
    unsubscribe_url: Option<String>,
    smtp: Option<RawServer>,
    imap: Option<RawServer>,
    maildir: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRep {
    id: String,
    #[serde(default)]
    roles: Vec<String>,
    /// Where they work; for calendars with `clock = "owner"`.
    time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRamp {
    start: u32,
    add_per_day: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    host: String,
    port: Option<u16>,
    tls: TlsMode,
    user: Option<String>,
    password: Option<SecretSource>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    per_domain_per_day: Option<u32>,
    new_per_company_per_day: Option<u32>,
    active_per_company: Option<u32>,
    active_per_rep: Option<u32>,
    prospect_gap: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLinkedIn {
    note_limit: Option<u32>,
    notes_per_month: Option<u32>,
    invites_per_week: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawInbox {
    reply_freshness: Option<String>,
    poll_every: Option<String>,
    bounce_window: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawNodes {
    lease: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawPacing {
    per_mailbox_per_minute: Option<u32>,
    per_domain_per_minute: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLog {
    format: Option<String>,
}

fn lists(raw: RawLists, mailboxes: &[MailboxConfig], wrong: &mut Vec<String>) -> ListsConfig {
    let owner = raw.owner.map(RepId);
    let owners: Vec<&str> = mailboxes.iter().map(|m| m.mailbox.owner.as_str()).collect();
    if let Some(owner) = owner.as_ref().filter(|o| !owners.contains(&o.as_str()))
        && !owners.is_empty()
    {
        let known = owners.join(", ");
        wrong.push(format!("lists.owner: no mailbox belongs to `{owner}`; owners are: {known}"));
    }
    let country = raw.default_country;
    let is_code = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
    if let Some(country) = country.as_ref().filter(|country| !is_code(country)) {
        wrong.push(format!(
            "lists.default_country: `{country}` is no country code: write its two letters, like \"US\""
        ));
    }
    ListsConfig { owner, default_country: country }
}

/// Reads the settings of a workspace.
///
/// # Errors
/// Everything that is wrong with them, each with its place; nothing is assumed in its stead.
pub fn load(workspace: &Path) -> Result<Config, Vec<String>> {
    let path = workspace.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        vec![format!(
            "cannot read {}: {error}. Make a workspace with `firsttouch init DIR`, or name one with `-C DIR`",
            path.display()
        )]
    })?;
    parse(&text, workspace)
}

/// Checks the text of the settings.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, workspace: &Path) -> Result<Config, Vec<String>> {
    let raw: Raw = toml::from_str(text).map_err(|error| vec![toml_error(text, &error)])?;
    let mut wrong = Vec::new();
    let mut warnings = Vec::new();
    let mailboxes = mailboxes(raw.mailbox, &raw.company, workspace, &mut wrong, &mut warnings);
    let zone = raw.time_zone.as_deref().unwrap_or("UTC");
    let reader_zone = time_zone(zone, "time_zone", &mut wrong);
    let reps = rep_zones(&raw.rep, &reader_zone, &mut wrong);
    let roles = roles(raw.rep, &mut wrong);
    let counts_on_shipped = calendars::count_on_shipped(&raw.calendar);
    let calendars = calendars::calendars(raw.calendar, raw.call_hours, reps, workspace, &mut wrong);
    let lists = lists(raw.lists, &mailboxes, &mut wrong);
    let mut time = |text: Option<String>, default: SignedDuration, key: &str| match text {
        None => default,
        Some(text) => duration(&text, key, &mut wrong).unwrap_or(default),
    };
    let inbox = raw.inbox;
    let reply_freshness =
        time(inbox.reply_freshness, SignedDuration::from_mins(15), "inbox.reply_freshness");
    let poll_every = time(inbox.poll_every, SignedDuration::from_mins(2), "inbox.poll_every");
    let bounce_window =
        time(inbox.bounce_window, SignedDuration::from_hours(72), "inbox.bounce_window");
    let lease = time(raw.nodes.lease, LEASE, "nodes.lease");
    let defaults = Limits::default();
    let prospect_gap = time(raw.limits.prospect_gap, defaults.prospect_gap, "limits.prospect_gap");
    let limits = Limits {
        per_domain_per_day: raw.limits.per_domain_per_day.unwrap_or(defaults.per_domain_per_day),
        new_per_company_per_day: raw
            .limits
            .new_per_company_per_day
            .unwrap_or(defaults.new_per_company_per_day),
        active_per_company: raw.limits.active_per_company.unwrap_or(defaults.active_per_company),
        active_per_rep: raw.limits.active_per_rep,
        prospect_gap,
    };
    let linkedin = LinkedIn {
        note_limit: raw.linkedin.note_limit,
        notes_per_month: raw.linkedin.notes_per_month,
        invites_per_week: raw.linkedin.invites_per_week,
    };
    for (key, limit) in [
        ("limits.active_per_rep", limits.active_per_rep),
        ("linkedin.note_limit", linkedin.note_limit),
        ("linkedin.notes_per_month", linkedin.notes_per_month),
        ("linkedin.invites_per_week", linkedin.invites_per_week),
    ] {
        wrong.extend(out_of_bounds(key, limit));
    }
    if poll_every >= reply_freshness {
        wrong.push(
            "inbox.poll_every must be shorter than inbox.reply_freshness, or nothing is ever sent"
                .into(),
        );
    }
    if lease > LEASE_AT_LEAST * 120 {
        wrong.push("nodes.lease must be 10 minutes or shorter: so long nobody has the mailboxes of a node that died".into());
    }
    if lease < LEASE_AT_LEAST {
        wrong.push(
            "nodes.lease must be 5 seconds or longer: a node that is busy for a moment would lose its mailboxes"
                .into(),
        );
    }
    let sends = mailboxes.iter().any(|mailbox| mailbox.smtp.is_some());
    if sends
        && raw.company.postal_address.starts_with("1 Main St, Springfield")
        && raw.company.name == "Acme Inc."
    {
        warnings
            .push("company is still the example's: every mail carries its name and address".into());
    }
    if raw.company.postal_address.trim().is_empty() {
        wrong.push(
            "company.postal_address is not set: every mail must carry it, so nothing can be sent without it"
                .into(),
        );
    }
    let database = database(&raw.store, workspace, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|line| format!("{FILE}: {line}")).collect());
    }
    Ok(Config {
        database,
        company: Company { name: raw.company.name, postal_address: raw.company.postal_address },
        mailboxes,
        roles,
        calendars,
        limits,
        linkedin,
        reply_freshness,
        poll_every,
        lease,
        bounce_window,
        reader_zone,
        pacing: (
            raw.pacing.per_mailbox_per_minute.unwrap_or(30).max(1),
            raw.pacing.per_domain_per_minute.unwrap_or(20).max(1),
        ),
        log_json: raw.log.format.as_deref() == Some("json"),
        lists,
        warnings,
        counts_on_shipped,
    })
}

impl Config {
    /// What works but should be looked at, also what only a look at the clock shows.
    pub fn warnings_on(&self, today: Date) -> Vec<String> {
        let ends = self.counts_on_shipped.then(|| calendars::end_of_shipped(today)).flatten();
        let ends = ends.map(|text| format!("calendar: {text}"));
        self.warnings.iter().cloned().chain(ends).collect()
    }
}

/// Where the reps work; those who do not say so where the dates are read.
fn rep_zones(raw: &[RawRep], others: &TimeZone, wrong: &mut Vec<String>) -> RepZones {
    let mut known = BTreeMap::new();
    for rep in raw {
        if let Some(zone) = &rep.time_zone {
            let zone = time_zone(zone, &format!("rep `{}`: time_zone", rep.id), wrong);
            known.insert(RepId(rep.id.clone()), zone);
        }
    }
    RepZones { known, others: others.clone() }
}

/// Who does what; a name is written as in a cadence's `to:`.
fn roles(raw: Vec<RawRep>, wrong: &mut Vec<String>) -> BTreeMap<RepId, Vec<RoleId>> {
    let mut reps = BTreeMap::new();
    for rep in raw {
        if rep.id.trim().is_empty() {
            wrong.push("a [[rep]] needs an `id`, such as \"cara\"".into());
        }
        for role in rep.roles.iter().filter(|role| !is_slug(role)) {
            wrong.push(format!(
                "rep `{}`: `{role}` is not a name of a role; use lower-case letters, digits, - and _",
                rep.id
            ));
        }
        let roles = rep.roles.into_iter().map(RoleId).collect();
        if reps.insert(RepId(rep.id.clone()), roles).is_some() {
            wrong.push(format!("rep `{}` is there twice", rep.id));
        }
    }
    reps
}

/// Where, what, and the nearest key that exists.
fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    let message = error.message().trim().replace('\n', " ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let meant = match message.starts_with("unknown field") {
        true => quoted.next().and_then(|wrong| did_you_mean(wrong, quoted)),
        false => None,
    };
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    format!("{FILE}:{line}:{column}: {message}{meant}")
}

fn database(store: &RawStore, workspace: &Path, wrong: &mut Vec<String>) -> String {
    match (&store.path, &store.url) {
        (Some(_), Some(_)) => {
            wrong.push("store has both `path` and `url`: keep one".into());
            String::new()
        }
        (None, Some(url)) => url.clone(),
        (path, None) => {
            let path = path.as_deref().unwrap_or("firsttouch.db");
            format!("sqlite:{}", workspace.join(path).display())
        }
    }
}

fn mailboxes(
    raw: Vec<RawMailbox>,
    company: &RawCompany,
    workspace: &Path,
    wrong: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Vec<MailboxConfig> {
    let mut mailboxes: Vec<MailboxConfig> = Vec::new();
    for raw in raw {
        if mailboxes.iter().any(|known| known.mailbox.id.as_str() == raw.id) {
            wrong.push(format!("mailbox `{}` is there twice", raw.id));
        }
        mailboxes.extend(mailbox(raw, company, workspace, wrong, warnings));
    }
    mailboxes
}

/// The largest number that a limit may be.
const MAX_LIMIT: u32 = 10_000;

/// A limit of none stops people for ever without a word; it is taken out, or something is put on hold.
fn out_of_bounds(key: &str, limit: Option<u32>) -> Option<String> {
    let limit = limit.filter(|limit| !(1..=MAX_LIMIT).contains(limit))?;
    Some(format!(
        "{key} = {limit}: write a number from 1 to {MAX_LIMIT}, or leave it out for no limit"
    ))
}

fn mailbox(
    raw: RawMailbox,
    company: &RawCompany,
    workspace: &Path,
    wrong: &mut Vec<String>,
    warnings: &mut Vec<String>,
) -> Option<MailboxConfig> {
    let id = raw.id;
    let (from_name, address) = split_from(&raw.from);
    let from = match address.parse::<EmailAddress>() {
        Ok(from) => from,
        Err(error) => {
            wrong.push(format!("mailbox `{id}`: from = \"{}\": {error}", raw.from));
            return None;
        }
    };
    let inbox = match (raw.imap, raw.maildir) {
        (Some(_), Some(_)) => {
            wrong.push(format!("mailbox `{id}` has both `imap` and `maildir`: keep one"));
            None
        }
        (Some(imap), None) => Some(InboxConfig::Imap(server(imap, 993, 143))),
        (None, Some(path)) => Some(InboxConfig::Maildir(workspace.join(path))),
        (None, None) => None,
    };
    let smtp = raw.smtp.map(|smtp| server(smtp, 465, 587));
    if smtp.is_some() && inbox.is_none() {
        wrong.push(format!(
            "mailbox `{id}` can send but its replies cannot be read: add `imap` or `maildir`, because nobody \
             may be chased after they answered"
        ));
    }
    if let Some(Server { password: Some(SecretSource::Plain(_)), .. }) = &smtp {
        warnings.push(format!(
            "mailbox `{id}`: the password stands in {FILE} in plain text; write password = {{ file = \"…\" }} \
             or {{ env = \"…\" }}"
        ));
    }
    let gap = raw.gap.unwrap_or(["4 minutes".into(), "9 minutes".into()]);
    let gap =
        gap.map(|text| duration(&text, &format!("mailbox `{id}`: gap"), wrong).unwrap_or_default());
    wrong.extend(out_of_bounds(&format!("mailbox `{id}`: hourly_limit"), raw.hourly_limit));
    if gap[0] > gap[1] {
        wrong.push(format!("mailbox `{id}`: gap begins above its end"));
    }
    let ramp = raw.ramp.map_or(Ramp { start: 5, add_per_day: 2 }, |ramp| Ramp {
        start: ramp.start,
        add_per_day: ramp.add_per_day,
    });
    let mut card = BTreeMap::new();
    let name = from_name.clone().unwrap_or_else(|| from.local().to_owned());
    let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
    for (key, value) in [
        ("first_name", Some(first.to_owned())),
        ("last_name", Some(last.to_owned())),
        ("company", Some(company.name.clone())),
        ("title", raw.title),
        ("phone", raw.phone),
        ("calendar_link", raw.calendar_link),
    ] {
        card.extend(value.filter(|value| !value.is_empty()).map(|value| (key.to_owned(), value)));
    }
    let mailbox = Mailbox {
        owner: RepId(raw.owner.unwrap_or_else(|| id.clone())),
        id: MailboxId(id),
        from,
        from_name,
        daily_limit: raw.daily_limit.unwrap_or(40),
        hourly_limit: raw.hourly_limit,
        ramp,
        gap: (gap[0], gap[1]),
        has_inbox: inbox.is_some(),
        card,
        unsubscribe_url: raw.unsubscribe_url,
    };
    Some(MailboxConfig { mailbox, smtp, inbox })
}

fn server(raw: RawServer, implicit_port: u16, other_port: u16) -> Server {
    let default = if raw.tls == TlsMode::Implicit { implicit_port } else { other_port };
    Server {
        host: raw.host,
        port: raw.port.unwrap_or(default),
        tls: raw.tls,
        user: raw.user,
        password: raw.password,
        ca_file: raw.ca_file,
    }
}

/// `Ann Reyes <ann@acme.test>` to name and address.
fn split_from(from: &str) -> (Option<String>, &str) {
    match from.split_once('<') {
        Some((name, rest)) => {
            let name = name.trim().trim_matches('"').trim();
            let address = rest.trim_end().trim_end_matches('>');
            ((!name.is_empty()).then(|| name.to_owned()), address)
        }
        None => (None, from),
    }
}

fn time_zone(name: &str, key: &str, wrong: &mut Vec<String>) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|_| {
        wrong.push(format!("{key}: `{name}` is no time zone; write a name like Europe/Berlin"));
        TimeZone::UTC
    })
}

/// A plain length of time: no days of anybody's calendar.
fn duration(text: &str, key: &str, wrong: &mut Vec<String>) -> Option<SignedDuration> {
    if let Some(seconds) =
        text.trim().strip_suffix("seconds").and_then(|n| n.trim().parse::<u32>().ok())
    {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let delay = match length::delay(text) {
        Ok(delay) => delay,
        Err(error) => {
            wrong.push(format!("{key}: {error}"));
            return None;
        }
    };
    let amount = i64::from(delay.amount);
    match delay.unit {
        Unit::Minutes => Some(SignedDuration::from_mins(amount)),
        Unit::Hours => Some(SignedDuration::from_hours(amount)),
        Unit::Days => Some(SignedDuration::from_hours(amount * 24)),
        Unit::Weeks => Some(SignedDuration::from_hours(amount * 168)),
        Unit::BusinessMinutes | Unit::BusinessHours | Unit::BusinessDays => {
            wrong.push(format!("{key}: `{text}`: write seconds, minutes, hours or days"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text, Path::new(".")).map(|_| ()).unwrap_err().join("\n")
    }

    #[test]
    fn a_key_that_does_not_exist_is_named_with_its_place_and_its_neighbour() {
        let text = "[company]\nname = \"Acme\"\npostal_adress = \"x\"\n";
        let message = wrong(text);
        assert!(
            message.starts_with("firsttouch.toml:3:1: unknown field `postal_adress`"),
            "{message}"
        );
        assert!(message.ends_with("did you mean `postal_address`?"), "{message}");
    }

    #[test]
    fn a_mailbox_that_cannot_be_read_may_not_send() {
        let text = "[company]\npostal_address = \"x\"\n[[mailbox]]\nid = \"a\"\nfrom = \"a@b.test\"\n\
             smtp = { host = \"h\", tls = \"none\" }";
        assert!(wrong(text).contains("its replies cannot be read"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = "time_zone = \"Mars/Base\"\n[calendar.x]\nhours = \"mon 8-17\"\nholidays = [\"24.12.2026\"]\n\
             [inbox]\nreply_freshness = \"4\"";
        let message = wrong(text);
        for part in
            ["Mars/Base", "calendar.x.hours", "`24.12.2026` is not a date", "inbox.reply_freshness"]
        {
            assert!(message.contains(part), "{part} in {message}");
        }
    }

    #[test]
    fn a_limit_of_none_or_of_millions_is_told() {
        let text = "[company]\npostal_address = \"x\"\n[limits]\nactive_per_rep = 0\n\
             [linkedin]\nnote_limit = 0\nnotes_per_month = 10001\ninvites_per_week = 80\n\
             [[mailbox]]\nid = \"a\"\nfrom = \"a@b.test\"\nhourly_limit = 0\n";
        let message = wrong(text);
        for part in [
            "limits.active_per_rep = 0: write a number from 1 to 10000",
            "linkedin.note_limit = 0",
            "linkedin.notes_per_month = 10001",
            "mailbox `a`: hourly_limit = 0",
        ] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(!message.contains("invites_per_week"), "{message}");
        let slip = wrong("[linkedin]\ninvites_per_weak = 80\n");
        assert!(slip.ends_with("did you mean `invites_per_week`?"), "{slip}");
    }

    #[test]
    fn a_secret_does_not_show_in_a_dump() {
        let secret = SecretSource::Plain("hunter2".into());
        assert_eq!(format!("{secret:?}"), "…");
    }
}
