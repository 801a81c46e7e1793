//! What a column can be: one of the fields of a prospect, an extra, or nothing.

/// A field that an import understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    FirstName,
    LastName,
    FullName,
    Salutation,
    Title,
    Seniority,
    Department,
    Email,
    SecondEmail,
    PersonalEmail,
    PhoneDirect,
    PhoneMobile,
    Phone,
    PhoneOffice,
    PhoneOther,
    Linkedin,
    Company,
    CompanyEmailName,
    CompanyDomain,
    CompanyWebsite,
    Industry,
    Employees,
    EmployeesRange,
    Revenue,
    RevenueRange,
    City,
    Region,
    Country,
    Location,
    CompanyCity,
    CompanyCountry,
    Owner,
    SourceId,
    DoNotCall,
    EmailOptOut,
    DoNotContact,
}

/// Every field under the name that users see and write, in the order of [`Field`].
pub(super) const FIELDS: &[(&str, Field)] = &[
    ("first_name", Field::FirstName),
    ("last_name", Field::LastName),
    ("full_name", Field::FullName),
    ("salutation", Field::Salutation),
    ("title", Field::Title),
    ("seniority", Field::Seniority),
    ("department", Field::Department),
    ("email", Field::Email),
    ("email_2", Field::SecondEmail),
    ("email_personal", Field::PersonalEmail),
    ("phone_direct", Field::PhoneDirect),
    ("phone_mobile", Field::PhoneMobile),
    ("phone", Field::Phone),
    ("phone_office", Field::PhoneOffice),
    ("phone_other", Field::PhoneOther),
    ("linkedin_url", Field::Linkedin),
    ("company", Field::Company),
    ("company_email_name", Field::CompanyEmailName),
    ("company_domain", Field::CompanyDomain),
    ("company_website", Field::CompanyWebsite),
    ("industry", Field::Industry),
    ("employees", Field::Employees),
    ("employees_range", Field::EmployeesRange),
    ("revenue", Field::Revenue),
    ("revenue_range", Field::RevenueRange),
    ("city", Field::City),
    ("region", Field::Region),
    ("country", Field::Country),
    ("location", Field::Location),
    ("company_city", Field::CompanyCity),
    ("company_country", Field::CompanyCountry),
    ("owner", Field::Owner),
    ("source_id", Field::SourceId),
    ("do_not_call", Field::DoNotCall),
    ("email_opt_out", Field::EmailOptOut),
    ("do_not_contact", Field::DoNotContact),
];

impl Field {
    /// The field of that name.
    pub fn named(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// The name that users see and write.
    pub fn name(self) -> &'static str {
        FIELDS.get(self as usize).map_or("", |(name, _)| name)
    }

    /// Whether a person can be reached through it.
    pub fn is_channel(self) -> bool {
        EMAILS.contains(&self) || PHONES.contains(&self) || self == Field::Linkedin
    }
}

/// The fields with e-mail addresses, best first.
pub(super) const EMAILS: [Field; 3] = [Field::Email, Field::SecondEmail, Field::PersonalEmail];

/// The fields with phone numbers, best first.
pub(super) const PHONES: [Field; 5] =
    [Field::PhoneDirect, Field::PhoneMobile, Field::Phone, Field::PhoneOffice, Field::PhoneOther];

/// Where the cells of a column go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Field(Field),
    /// `{{x.<slug>}}`.
    Extra(String),
    Ignored,
}

impl Target {
    /// The target that users write as `email`, `x.icebreaker` or `ignore`.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(slug) = name.strip_prefix("x.") {
            let ok = |c: char| c.is_alphanumeric() || c == '_';
            let slug = slug.to_lowercase();
            return (!slug.is_empty() && slug.chars().all(ok)).then_some(Target::Extra(slug));
        }
        match name {
            "ignore" => Some(Target::Ignored),
            _ => Field::named(name).map(Target::Field),
        }
    }

    /// As users write it; `None` when ignored.
    pub fn name(&self) -> Option<String> {
        match self {
            Target::Field(field) => Some(field.name().to_owned()),
            Target::Extra(slug) => Some(format!("x.{slug}")),
            Target::Ignored => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_fields_is_in_the_order_of_the_fields() {
        for (at, (name, field)) in FIELDS.iter().enumerate() {
            assert_eq!(*field as usize, at, "{name}");
            assert_eq!((field.name(), Field::named(name)), (*name, Some(*field)));
        }
    }
}
