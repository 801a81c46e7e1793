//! The table of mess: what stands in the cells, what is kept, and what is said about it.

use super::*;
use crate::domain::prospect::Range;

/// One kind of mess: header, row, and what must come of it as `field=value` lines; `!` begins what a
/// warning says, `~` a note, `?` why the row is parked and `x` why it is refused.
type Mess = (&'static str, &'static str, &'static [&'static str]);

const NAMES: &[Mess] = &[
    (
        "Name,Email",
        "William (Bill) Gates,d@x.test",
        &["first=William", "last=Gates", "x.nickname=Bill"],
    ),
    (
        "First Name,Last Name,Email",
        "\"Dana \"\"Dee\"\"\",Whitfield,d@x.test",
        &["first=Dana", "last=Whitfield", "x.nickname=Dee"],
    ),
    (
        "First Name,Last Name,Email",
        "Dana,\"Whitfield, MBA, PhD\",d@x.test",
        &["first=Dana", "last=Whitfield"],
    ),
    (
        "Name,Email",
        "Dr. Dana Whitfield PMP,d@x.test",
        &["first=Dana", "last=Whitfield", "salutation=Dr."],
    ),
    (
        "First Name,Last Name,Email",
        "✓ Dana 🚀,Whitfield ❤️,d@x.test",
        &["first=Dana", "last=Whitfield"],
    ),
    ("Name,Email", "\"Whitfield, Dana\",d@x.test", &["first=Dana", "last=Whitfield"]),
    ("Name,Email", "Ludwig van der Berg,d@x.test", &["first=Ludwig", "last=van der Berg"]),
    ("Name,Email", "\"de la Cruz, María\",d@x.test", &["first=María", "last=de la Cruz"]),
    (
        "First Name,Last Name,Email",
        "DANA,MCDONALD,d@x.test",
        &["first=Dana", "last=McDonald", "~a name in capitals"],
    ),
    (
        "First Name,Last Name,Email",
        "dana,o'brien,d@x.test",
        &["first=Dana", "last=O'Brien", "~a name in small letters"],
    ),
    (
        "First Name,Last Name,Email",
        "DeShawn,McDonald,d@x.test",
        &["first=DeShawn", "last=McDonald"],
    ),
    ("First Name,Last Name,Email", "Dana,Null,d@x.test", &["first=Dana", "last=Null"]),
    ("First Name,Last Name,Email", "Dana,N/A,d@x.test", &["first=Dana"]),
    (
        "Vorname,Name,E-Mail",
        "Jürgen,von der Heide,d@x.test",
        &["first=Jürgen", "last=von der Heide"],
    ),
    ("Nombre,Email", "María José García,d@x.test", &["first=María José", "last=García"]),
    (
        "Title,Job Title,Name,Email",
        "Mr.,,Dan White,d@x.test",
        &["first=Dan", "last=White", "salutation=Mr."],
    ),
];

const COMPANIES: &[Mess] = &[
    ("Email,Company", "d@x.test,Foo (YC W21)", &["company=Foo (YC W21)", "short=Foo"]),
    (
        "Email,Company",
        "d@x.test,Globex | We're hiring",
        &["company=Globex | We're hiring", "short=Globex"],
    ),
    ("Email,Company", "d@x.test,ACME GMBH & CO. KG", &["company=ACME GMBH & CO. KG", "short=ACME"]),
    (
        "Email,Company,Company Name - Cleaned",
        "d@x.test,\"Acme, Inc.\",Acme Rockets",
        &["company=Acme, Inc.", "short=Acme Rockets"],
    ),
    (
        "Work Email,Company Table Data",
        "d@x.test,\"{\"\"name\"\": \"\"Acme\"\", \"\"id\"\": 3}\"",
        &["company=Acme", "short=Acme"],
    ),
    ("Email,# Employees", "d@x.test,\"1,001 - 5,000 employees\"", &["size=1001-5000"]),
    ("Email,# Employees", "d@x.test,10K+", &["size=10000-"]),
    ("Email,# Employees", "d@x.test,Feb-50", &["!Excel has made a date of it"]),
    ("Email,# Employees", "d@x.test,2-Oct", &["!Excel has made a date of it"]),
    ("Email,Annual Revenue", "d@x.test,$10M", &["revenue=10000000-10000000"]),
    ("Email,Annual Revenue", "d@x.test,$1.5B", &["revenue=1500000000-1500000000"]),
    ("Email,Annual Revenue", "d@x.test,€10M", &["x.revenue=€10M", "~not in US dollars"]),
    ("Email,Annual Revenue", "d@x.test,250K", &["revenue=250000-250000"]),
    ("Email,Revenue (in 000s USD)", "d@x.test,\"10,000\"", &["revenue=10000000-10000000"]),
    ("Email,Annual Revenue", "d@x.test,0.0 ONE", &[]),
    (
        "Email,Website",
        "d@x.test,https://www.linkedin.com/company/acme/",
        &["x.company_linkedin_url=https://www.linkedin.com/company/acme/"],
    ),
];

const CHANNELS: &[Mess] = &[
    (
        "Email,Name",
        "\"a@x.test; b@x.test\",Dan White",
        &["email=a@x.test", "email_2=b@x.test", "first=Dan", "last=White"],
    ),
    (
        "E-mail 1 - Value,Name",
        "a@x.test ::: b@x.test,Dan White",
        &["email=a@x.test", "email_2=b@x.test", "first=Dan", "last=White"],
    ),
    ("Email,Name", "mailto:a@x.test,-", &["email=a@x.test"]),
    (
        "Email,Phone",
        "d@gmial.com,+14155552671",
        &["phone=+14155552671", "zones by Phone", "?looks mistyped: gmial.com"],
    ),
    ("Email,Phone", "d@gmial.com,", &["xlooks mistyped: gmial.com", "?looks mistyped: gmial.com"]),
    ("Email,Secondary Email", "d@gmial.com,d@x.test", &["!looks mistyped: gmial.com"]),
    (
        "Email,Name",
        "info@acme.test,Dan White",
        &[
            "email=info@acme.test",
            "first=Dan",
            "last=White",
            "x.email_kind=role",
            "~a shared mailbox",
        ],
    ),
    (
        "Email,Name",
        "dan@gmail.com,Dan White",
        &[
            "email=dan@gmail.com",
            "first=Dan",
            "last=White",
            "x.email_kind=free",
            "~a private mailbox",
        ],
    ),
    (
        "Email,Country",
        "d@acme.de,United States",
        &[
            "country=US",
            "zones by Country",
            "email=d@acme.de",
            "!the address ends in .de, the country is US",
        ],
    ),
    (
        "Email,Country",
        "d@acme.co.uk,England",
        &["country=GB", "zone=Europe/London by Country", "email=d@acme.co.uk"],
    ),
    (
        "Email,Country",
        "d@acme.io,Germany",
        &["country=DE", "zone=Europe/Berlin by Country", "email=d@acme.io"],
    ),
    (
        "Email,Country,Company Country",
        "d@acme.de,US,DE",
        &["country=US", "zones by Country", "email=d@acme.de"],
    ),
    ("Email,Phone", "d@x.test,4.47912E+11", &["!cut off by Excel"]),
    (
        "Email,Mobile",
        "d@x.test,415-555-2671",
        &["!has no country code, and the row has no country"],
    ),
    (
        "Phone,Country",
        "(415) 555-2671 / (415) 555-2672,US",
        &["phone=+14155552671", "phone=+14155552672", "country=US", "zones by Country"],
    ),
    (
        "Phone,State,Country",
        "'415.555.2671 x204,TX,US",
        &["phone=+14155552671 ext. 204", "region=TX", "country=US", "zones by Region"],
    ),
    (
        "Phone",
        "\u{202a}+44 (0)20 7946 0958\u{202c}",
        &["phone=+442079460958", "zone=Europe/London by Phone"],
    ),
    (
        "Phone",
        "\"=\"\"00442079460958\"\"\"",
        &["phone=+442079460958", "zone=Europe/London by Phone"],
    ),
    ("LinkedIn", "https://uk.linkedin.com/in/Dana-W%C3%A9/en?trk=x", &["linkedin=dana-wé"]),
    (
        "LinkedIn,Email",
        "\"https://www.linkedin.com/sales/lead/ACwAAA1,NAME\",d@x.test",
        &[
            "x.linkedin_other=https://www.linkedin.com/sales/lead/ACwAAA1,NAME",
            "!a Sales Navigator link, which names nobody outside of it",
        ],
    ),
    (
        "LinkedIn,Email",
        "https://www.linkedin.com/pub/dana/1/2/3,d@x.test",
        &[
            "x.linkedin_other=https://www.linkedin.com/pub/dana/1/2/3",
            "!not a LinkedIn profile address",
        ],
    ),
    ("Email,Do Not Contact", "d@x.test,yes", &["no calls", "no mail"]),
    ("Email,Do not allow Emails", "d@x.test,Allow", &[]),
];

const PLACES: &[Mess] = &[
    (
        "Email,State,Country",
        "d@x.test,Calif,U.S.",
        &["region=CA", "country=US", "zone=America/Los_Angeles by Region"],
    ),
    (
        "Email,State,Country",
        "d@x.test,Québec,Canada",
        &["region=QC", "country=CA", "zone=America/Toronto by Region"],
    ),
    (
        "Email,State,Country",
        "d@x.test,Western Australia,AUS",
        &["region=WA", "country=AU", "zone=Australia/Perth by Region"],
    ),
    ("Email,State", "d@x.test,Texas", &["region=TX", "country=US", "zones by Region"]),
    ("Email,State", "d@x.test,CA", &["region=CA"]),
    ("Email,Country", "d@x.test,Deutschland", &["country=DE", "zone=Europe/Berlin by Country"]),
    ("Email,Country", "d@x.test,Atlantis", &["!not a country we know"]),
    (
        "Email,Location",
        "d@x.test,Greater Boston Area",
        &["city=Boston", "region=MA", "country=US", "zone=America/New_York by Region"],
    ),
    (
        "Email,Location",
        "d@x.test,\"Cardiff, United Kingdom\"",
        &["city=Cardiff", "country=GB", "zone=Europe/London by Country"],
    ),
    ("Email,Location", "d@x.test,Remote", &[]),
    (
        "Email,Company Country",
        "d@x.test,France",
        &["country=FR", "zone=Europe/Paris by CompanyCountry"],
    ),
    ("Email,Renewal", "d@x.test,03/04/2026", &["x.renewal=03/04/2026"]),
    ("Email,Renewal", "d@x.test,45000", &["x.renewal=45000"]),
    ("Email,Opener", "d@x.test,'=HYPERLINK(1)", &["x.opener==HYPERLINK(1)"]),
    ("Email,Opener", "d@x.test,=1+1", &["x.opener==1+1"]),
    ("Email,Opener", "d@x.test,#N/A", &[]),
];

/// Everything that a row came to, in the form of [`Mess`].
fn told(row: &Row) -> Vec<String> {
    let mut told = Vec::new();
    match &row.parsed {
        Ok(person) => tell(person, &mut told),
        Err(problem) => told.push(format!("x{}", problem.problem)),
    }
    told.extend(row.parked.iter().map(|parked| format!("?{}", parked.problem)));
    told.extend(row.warnings.iter().map(|warning| format!("!{}", warning.problem)));
    told.extend(row.notes.iter().map(|note| format!("~{}", note.problem)));
    told
}

fn tell(person: &ProspectDraft, told: &mut Vec<String>) {
    let company = &person.company;
    for (name, value) in [
        ("first", &person.first_name),
        ("last", &person.last_name),
        ("salutation", &person.salutation),
        ("title", &person.title),
        ("company", &company.name),
        ("short", &company.short),
        ("linkedin", &person.linkedin),
        ("city", &person.city),
        ("region", &person.region),
        ("country", &person.country),
    ] {
        told.extend(value.iter().map(|value| format!("{name}={value}")));
    }
    // The address d@x.test is only there to make the row a person.
    let emails = person.email.iter().map(|email| ("email", email));
    let emails = emails.chain(person.other_emails.iter().map(|email| ("email_2", email)));
    let shown = emails.filter(|(_, email)| email.as_str() != "d@x.test");
    told.extend(shown.map(|(name, email)| format!("{name}={email}")));
    told.extend(person.phones.iter().map(|phone| format!("phone={phone}")));
    let range = |range: Range| {
        format!("{}-{}", range.low, range.high.map(|high| high.to_string()).unwrap_or_default())
    };
    told.extend(company.employees.map(|size| format!("size={}", range(size))));
    told.extend(company.revenue.map(|revenue| format!("revenue={}", range(revenue))));
    match (person.time_zones.as_slice(), person.zone_source) {
        ([], None) => {}
        ([zone], Some(source)) => told.push(format!("zone={zone} by {source:?}")),
        (_, Some(source)) => told.push(format!("zones by {source:?}")),
        (zones, None) => told.push(format!("{zones:?} out of nowhere")),
    }
    told.extend(person.extra.iter().map(|(slug, value)| format!("x.{slug}={value}")));
    told.extend(person.do_not_call.then(|| "no calls".to_owned()));
    told.extend(person.email_opt_out.then(|| "no mail".to_owned()));
}

#[test]
fn every_kind_of_mess_comes_to_what_the_table_says() {
    let mut wrong = Vec::new();
    for (header, row, expected) in [NAMES, COMPANIES, CHANNELS, PLACES].concat() {
        let mut found = told(&only_row(&format!("{header}\n{row}\n")));
        found.sort_unstable();
        let mut expected: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
        expected.sort_unstable();
        if found != expected {
            wrong.push(format!("{header} | {row}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
