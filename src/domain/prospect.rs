//! A person we may touch, and what an import knows of one before it is stored.

use std::collections::BTreeMap;

use super::address::EmailAddress;
use super::ids::{CompanyId, ProspectId, RepId};

/// Whether somebody is cold or already buys from us. A customer can never enter a cold cadence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// Not a customer (yet).
    Prospect,
    /// Buys from us.
    Customer,
}

/// A telephone number that can be dialled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Phone {
    /// E.164, such as `+14155552671`.
    pub e164: String,
    /// The digits behind `ext.`, if any.
    pub extension: Option<String>,
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.extension {
            Some(extension) => write!(f, "{} ext. {extension}", self.e164),
            None => f.write_str(&self.e164),
        }
    }
}

/// Whole numbers from `low` to `high`, both included; `high` is absent in "1001+".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// The least it can be.
    pub low: u64,
    /// The most it can be, if there is a most.
    pub high: Option<u64>,
}

/// What somebody's time zone was told from, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ZoneSource {
    /// The person's state or province.
    Region,
    /// The person's country.
    Country,
    /// The country code of the phone number.
    Phone,
    /// Where the company sits.
    CompanyCountry,
    /// What the import was told to assume.
    DefaultCountry,
}

impl ZoneSource {
    /// Every source under the name in which it is stored.
    pub const ALL: [(&'static str, Self); 5] = [
        ("region", Self::Region),
        ("country", Self::Country),
        ("phone", Self::Phone),
        ("company_country", Self::CompanyCountry),
        ("default_country", Self::DefaultCountry),
    ];

    /// The name in which it is stored.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, source)| *source == self).map_or("", |(name, _)| name)
    }
}

/// How far somebody's time zone can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ZoneConfidence {
    /// Unknown, or assumed from something other than the person.
    Low,
    /// One of a few candidates, or told from the phone number.
    Medium,
    /// The person's own place has just this one.
    High,
}

/// One row of a list after mapping and cleaning: everything optional, nothing invented.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProspectDraft {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub salutation: Option<String>,
    pub title: Option<String>,
    /// As the source says it, in lower case words, such as `vp`; derived from the title when absent.
    pub seniority: Option<String>,
    pub department: Option<String>,
    pub email: Option<EmailAddress>,
    /// Further addresses of the same person, best first.
    pub other_emails: Vec<EmailAddress>,
    /// Best first: direct, mobile, plain, office, other.
    pub phones: Vec<Phone>,
    /// The slug of `linkedin.com/in/<slug>`, lower case.
    pub linkedin: Option<String>,
    pub city: Option<String>,
    /// ISO 3166-2 subdivision without the country (`CA`), where known; else the text.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2, upper case; `None` when absent or not understood.
    pub country: Option<String>,
    /// IANA zones in which this person may be, best guess first; empty when unknown.
    pub time_zones: Vec<String>,
    /// What the zones were told from; `None` when there are none or it is not known.
    pub zone_source: Option<ZoneSource>,
    pub company: CompanyDraft,
    pub owner: Option<String>,
    /// Identity in the tool that made the file, such as an Apollo contact id.
    pub external_id: Option<String>,
    /// The file says that this person does not want to be called.
    pub do_not_call: bool,
    /// The file says that this person does not want mail.
    pub email_opt_out: bool,
    /// Columns without a field of ours, by slug: `{{x.<slug>}}` in templates.
    pub extra: BTreeMap<String, String>,
}

/// What a row says of the company.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompanyDraft {
    pub name: Option<String>,
    /// The name as a person would say it: without `Inc.`, `GmbH & Co. KG` and the like.
    pub short: Option<String>,
    /// Lower case, without `www.`; never a free-mail domain.
    pub domain: Option<String>,
    pub industry: Option<String>,
    pub employees: Option<Range>,
    /// Whole US dollars a year.
    pub revenue: Option<Range>,
    pub city: Option<String>,
    pub country: Option<String>,
}

impl CompanyDraft {
    /// The identity of the company: its domain, else its normalised name and country.
    pub fn key(&self) -> Option<String> {
        if let Some(domain) = &self.domain {
            return Some(format!("domain:{domain}"));
        }
        let name = self.short.as_ref().or(self.name.as_ref())?;
        let plain: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let country = self.country.as_deref().unwrap_or("");
        (!plain.is_empty()).then(|| format!("name:{plain}:{country}"))
    }
}

impl ProspectDraft {
    /// Whether there is any channel on which this person could be touched.
    pub fn is_reachable(&self) -> bool {
        self.email.is_some() || !self.phones.is_empty() || self.linkedin.is_some()
    }

    /// How far [`ProspectDraft::time_zones`] can be relied on.
    pub fn zone_confidence(&self) -> ZoneConfidence {
        use ZoneSource::{CompanyCountry, Country, DefaultCountry, Phone, Region};
        match (self.zone_source, self.time_zones.len()) {
            (_, 0) | (None | Some(CompanyCountry | DefaultCountry), _) => ZoneConfidence::Low,
            (Some(Region | Country), 1) => ZoneConfidence::High,
            (Some(Region | Country | Phone), _) => ZoneConfidence::Medium,
        }
    }
}

/// A stored prospect.
#[derive(Debug, Clone, PartialEq)]
pub struct Prospect {
    pub id: ProspectId,
    pub company_id: Option<CompanyId>,
    pub owner: RepId,
    pub relationship: Relationship,
    /// What is known of the person and the company.
    pub known: ProspectDraft,
}

impl Prospect {
    /// The name for a list or a report, or the best there is instead.
    pub fn display_name(&self) -> String {
        let known = &self.known;
        let name = [&known.first_name, &known.last_name];
        let name: Vec<&str> = name.into_iter().flatten().map(String::as_str).collect();
        if !name.is_empty() {
            return name.join(" ");
        }
        match &known.email {
            Some(email) => email.to_string(),
            None => format!("prospect {}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_relied_on_as_far_as_its_source_goes() {
        use ZoneSource::{CompanyCountry, Country, DefaultCountry, Phone, Region};
        for (source, zones, confidence) in [
            (Some(Region), 1, ZoneConfidence::High),
            (Some(Region), 2, ZoneConfidence::Medium),
            (Some(Country), 1, ZoneConfidence::High),
            (Some(Country), 6, ZoneConfidence::Medium),
            (Some(Phone), 1, ZoneConfidence::Medium),
            (Some(CompanyCountry), 1, ZoneConfidence::Low),
            (Some(DefaultCountry), 1, ZoneConfidence::Low),
            (Some(Region), 0, ZoneConfidence::Low),
            (None, 1, ZoneConfidence::Low),
        ] {
            let draft = ProspectDraft {
                time_zones: vec!["Europe/Berlin".to_owned(); zones],
                zone_source: source,
                ..ProspectDraft::default()
            };
            assert_eq!(draft.zone_confidence(), confidence, "{source:?} {zones}");
        }
    }

    #[test]
    fn every_source_of_a_zone_has_a_name_of_its_own() {
        for (name, source) in ZoneSource::ALL {
            assert_eq!(source.as_str(), name);
        }
    }
}
