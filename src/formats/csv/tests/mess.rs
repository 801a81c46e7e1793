//! The mess of real lists, and what each kind costs.

use super::*;
use crate::domain::prospect::Range;

#[test]
fn a_row_of_apollo_becomes_a_person_with_everything_in_its_place() {
    let text = "First Name,Last Name,Title,Company Name,Email,Seniority,Work Direct Phone,Corporate Phone,# Employees,Industry,Keywords,Person Linkedin Url,Website,City,State,Country,Company City,Company Country,Annual Revenue,Apollo Contact Id,Do Not Call\n\
                DANA,WHITFIELD,VP of Sales,\"Northwind Traders, Inc.\",dana@northwind.test,Vp,'(415) 555-2671,+1 212-555-0123,250,software,\"crm, sales\",http://www.linkedin.com/in/Dana-W/,http://www.northwind.test,San Francisco,California,United States,Austin,USA,10000000,5f1,false\n";
    let row = only_row(text);
    assert_eq!(row.warnings, []);
    let person = row.parsed.expect("a person");
    assert_eq!(person.first_name.as_deref(), Some("Dana"));
    assert_eq!(person.last_name.as_deref(), Some("Whitfield"));
    assert_eq!(person.seniority.as_deref(), Some("vp"));
    assert_eq!(person.email.as_ref().map(|email| email.as_str()), Some("dana@northwind.test"));
    let phones: Vec<String> = person.phones.iter().map(ToString::to_string).collect();
    assert_eq!(phones, ["+14155552671", "+12125550123"]);
    assert_eq!(person.linkedin.as_deref(), Some("dana-w"));
    assert_eq!(person.region.as_deref(), Some("CA"));
    assert_eq!(person.country.as_deref(), Some("US"));
    assert_eq!(person.time_zones, ["America/Los_Angeles"]);
    assert_eq!(person.external_id.as_deref(), Some("5f1"));
    assert_eq!(person.extra["keywords"], "crm, sales");
    assert!(!person.do_not_call);
    let company = &person.company;
    assert_eq!(company.name.as_deref(), Some("Northwind Traders, Inc."));
    assert_eq!(company.short.as_deref(), Some("Northwind Traders"));
    assert_eq!(company.domain.as_deref(), Some("northwind.test"));
    assert_eq!(company.employees, Some(Range { low: 250, high: Some(250) }));
    assert_eq!(company.city.as_deref(), Some("Austin"));
    assert_eq!(company.country.as_deref(), Some("US"));
}

#[test]
fn rows_that_reach_nobody_say_which_cell_is_at_fault() {
    let head = "First Name,Email,Mobile Phone,LinkedIn URL,Country\n";
    for (row, column, value, problem) in [
        ("Dana,,,,", None, "", "no e-mail, phone or LinkedIn profile"),
        ("Dana,n/a,-,none,US", None, "", "no e-mail, phone or LinkedIn profile"),
        ("Dana,jane.doe@,,,", Some("Email"), "jane.doe@", "not an e-mail address"),
        ("Dana,,4.47912E+11,,GB", Some("Mobile Phone"), "4.47912E+11", "cut off by Excel"),
        ("Dana,d@gmial.com,,,", Some("Email"), "d@gmial.com", "looks mistyped: gmial.com"),
        ("Dana,,,yes,", Some("LinkedIn URL"), "yes", "not a LinkedIn profile address"),
    ] {
        let error = only_row(&format!("{head}{row}\n")).parsed.expect_err(row);
        assert_eq!(error.column.as_deref(), column, "{row}");
        assert_eq!((error.value.as_str(), error.problem.as_str()), (value, problem), "{row}");
        assert!(!error.fix.is_empty());
    }
}

#[test]
fn a_bad_cell_costs_only_the_cell_when_another_channel_is_left() {
    let row = only_row(
        "First Name,Email,Mobile Phone,Country,# Employees\nDana,d@x.test,4.47912E+11,Atlantis,2-Oct\n",
    );
    assert!(row.parsed.is_ok());
    let problems: Vec<&str> = row.warnings.iter().map(|problem| problem.problem.as_str()).collect();
    assert_eq!(
        problems,
        ["not a country we know", "cut off by Excel", "Excel has made a date of it"]
    );
}

#[test]
fn long_rows_are_refused_and_short_rows_are_filled_up() {
    let found = rows(
        "First Name,Last Name,Email\nDana,Acme, Inc,d@x.test\nd@x.test\nx,y,d@x.test\nDana,W\n,,d@x.test\n",
    );
    let problem = found[0].parsed.as_ref().expect_err("too long");
    assert_eq!(problem.problem, "has 4 cells, the header has 3");
    assert_eq!(found[3].warnings[0].problem, "has 2 cells, the header has 3");
    assert_eq!(found.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn an_unclosed_quote_costs_one_row_with_one_message() {
    let rows = rows("Name,Email\nA,a@x.test\n\"B,b@x.test\nC,c@x.test\n\"D\",d@x.test\n");
    let bad: Vec<&Row> = rows.iter().filter(|row| row.parsed.is_err()).collect();
    assert_eq!((rows.len(), bad.len(), bad[0].number, bad[0].line), (4, 1, 2, 3));
    let problem = bad[0].parsed.as_ref().expect_err("bad");
    assert_eq!(problem.problem, "a quote opened on line 3 is never closed");
}

#[test]
fn a_quote_that_is_not_doubled_is_forgiven_only_when_the_cells_still_match() {
    let rows = rows("Name,Company,Email\nA,\"The \"Best\" Co\",a@x.test\n\"B,\"Acme\",b@x.test\n");
    assert_eq!(
        rows[0].parsed.as_ref().expect("a person").company.name.as_deref(),
        Some("The \"Best\" Co")
    );
    assert!(rows[1].parsed.as_ref().expect_err("shifted").problem.contains("quotes do not match"));
}

#[test]
fn blank_rows_are_no_rows_and_lines_are_those_of_the_file() {
    let found =
        rows("Name,Email\r\n\r\n,\r\nA,\"a@x.test\"\r\n\r\n\"B\r\nB\",b@x.test\r\nC,c@x.test");
    let places: Vec<(u64, u64)> = found.iter().map(|row| (row.number, row.line)).collect();
    assert_eq!(places, [(1, 4), (2, 6), (3, 8)]);
}

#[test]
fn a_line_longer_than_a_mebibyte_costs_its_row() {
    for length in [1_048_577, 1_200_000] {
        let text = format!("Name,Email\nA,{}\nB,b@x.test\n", "x".repeat(length));
        let found = rows(&text);
        let problem = found[0].parsed.as_ref().expect_err("too long");
        assert_eq!(problem.problem, "longer than 1 MiB");
        assert_eq!((found[1].line, found[1].parsed.is_ok()), (3, true));
    }
    let error = Reader::open("x".repeat(1_200_000).as_bytes(), &options()).err();
    assert!(matches!(error, Some(ReadError::TooLong { line: 1 })));
}

#[test]
fn one_line_in_another_encoding_is_read_with_a_warning() {
    let text = [b"Name,Email\nZo\xc3\xab,a@x.test\n".as_slice(), b"Zo\xeb,b@x.test\n"].concat();
    let padding = b"Dana,d@x.test\n".repeat(6_000);
    let mut reader =
        Reader::open([&text[..25], &padding, &text[25..]].concat().leak() as &[u8], &options())
            .expect("a list");
    assert!(!reader.layout().encoding_guessed);
    let last = std::iter::from_fn(|| reader.next_row()).last().expect("a row");
    assert_eq!(last.parsed.expect("a person").first_name.as_deref(), Some("Zoë"));
    assert_eq!(last.warnings.len(), 1);
}

#[test]
fn utf_16_and_windows_1252_lists_are_read_and_the_guess_is_told() {
    let text = "Vorname;E-Mail\r\nJürgen;\"j@x.test\"\r\n";
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let western = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    for (bytes, encoding, guessed) in [(utf16, "UTF-16LE", false), (western, "Windows-1252", true)]
    {
        let mut reader = Reader::open(bytes.as_slice(), &options()).expect("a list");
        assert_eq!(
            (reader.layout().encoding.as_str(), reader.layout().encoding_guessed),
            (encoding, guessed)
        );
        assert_eq!(reader.layout().delimiter, ';');
        let person = reader.next_row().expect("a row").parsed.expect("a person");
        assert_eq!(person.first_name.as_deref(), Some("Jürgen"));
    }
}

#[test]
fn opt_out_columns_only_ever_add_a_block() {
    for (cell, blocked) in
        [("true", true), ("Yes", true), ("whatever", true), ("false", false), ("", false)]
    {
        let person =
            person(&format!("Email,Do Not Call,HasOptedOutOfEmail\nd@x.test,{cell},{cell}\n"));
        assert_eq!((person.do_not_call, person.email_opt_out), (blocked, blocked), "{cell:?}");
    }
}

#[test]
fn the_domain_comes_from_the_website_then_the_address_and_is_never_free_mail() {
    for (row, domain) in [
        ("d@northwind.test,https://www.acme.test/x", Some("acme.test")),
        ("d@northwind.test,", Some("northwind.test")),
        ("d@gmail.com,", None),
        ("d@gmail.com,gmail.com", None),
    ] {
        assert_eq!(
            person(&format!("Email,Website\n{row}\n")).company.domain.as_deref(),
            domain,
            "{row}"
        );
    }
}

#[test]
fn the_country_is_the_persons_then_the_companys_then_the_default() {
    let options = Options { default_country: Some("us".into()), ..Options::default() };
    for (row, country, phone) in [
        ("DE,GB,030 901820", Some("DE"), Some("+4930901820")),
        (",GB,020 7946 0958", Some("GB"), Some("+442079460958")),
        (",,(415) 555-2671", Some("US"), Some("+14155552671")),
        ("Atlantis,,+14155552671", None, Some("+14155552671")),
    ] {
        let text =
            format!("Country,Company Country,Phone\n{row}\n").replace("030 901820", "030 901820");
        let person = open(&text, &options).next_row().expect("a row").parsed.expect("a person");
        assert_eq!(person.country.as_deref(), country, "{row}");
        assert_eq!(person.phones.first().map(|phone| phone.e164.as_str()), phone, "{row}");
    }
    let options = Options { default_country: Some("Atlantis".into()), ..Options::default() };
    let refused = Reader::open("Email\nd@x.test\n".as_bytes(), &options).err();
    assert!(matches!(refused, Some(ReadError::UnknownCountry { .. })));
}

#[test]
fn a_location_fills_in_only_where_city_and_country_are_empty() {
    let place = |row: &str| {
        let person = person(&format!("Email,City,Country,Location\nd@x.test,{row}\n"));
        (
            person.city.unwrap_or_default(),
            person.region.unwrap_or_default(),
            person.country.unwrap_or_default(),
        )
    };
    let expected =
        |city: &str, region: &str, country: &str| (city.into(), region.into(), country.into());
    assert_eq!(place(",,\"Austin, Texas, United States\""), expected("Austin", "TX", "US"));
    assert_eq!(place(",DE,\"Austin, Texas, United States\""), expected("", "", "DE"));
    assert_eq!(place(",,Greater Boston Area"), expected("Boston", "MA", "US"));
    assert_eq!(place(",,Somewhere warm"), expected("", "", ""));
}

#[test]
fn the_user_decides_with_map_and_slips_are_answered_with_the_nearest_name() {
    let text = "Name,Kontakt,Direkt,Icebreaker\nDana,d@x.test,+14155552671,Hi\n";
    let options = with_map(&[
        ("Kontakt", "email"),
        ("direkt", "phone_direct"),
        ("Icebreaker", "x.opener"),
        ("Name", "ignore"),
    ]);
    let mut reader = open(text, &options);
    let fields: Vec<Option<&str>> =
        reader.layout().columns.iter().map(|c| c.field.as_deref()).collect();
    assert_eq!(fields, [None, Some("email"), Some("phone_direct"), Some("x.opener")]);
    let person = reader.next_row().expect("a row").parsed.expect("a person");
    assert_eq!(
        (person.email.is_some(), person.phones.len(), person.extra["opener"].as_str()),
        (true, 1, "Hi")
    );

    let message = |map: &[(&str, &str)]| {
        Reader::open("Email,Nmae\n".as_bytes(), &with_map(map)).err().expect("refused").to_string()
    };
    assert!(message(&[("Email", "emial")]).contains("did you mean `email`?"));
    assert!(message(&[("Name", "full_name")]).contains("did you mean `Nmae`?"));
}

#[test]
fn a_file_without_a_header_is_refused_with_what_it_starts_with() {
    let error = Reader::open("dana@x.test,Dana\nann@x.test,Ann\n".as_bytes(), &options())
        .err()
        .expect("refused");
    assert!(
        matches!(&error, ReadError::NoKnownColumn { headers } if headers == "dana@x.test, Dana"),
        "{error}"
    );
}

#[test]
fn one_column_of_addresses_and_an_excel_sep_line_are_lists() {
    assert!(person("Email\nd@x.test\n").email.is_some());
    assert!(person("sep=;\r\nEmail;Name\r\nd@x.test;Dana\r\n").first_name.is_some());
}

#[test]
fn too_many_columns_are_refused() {
    let header = format!("Email,First Name{}", ",x".repeat(2_000));
    let error = Reader::open(header.as_bytes(), &options()).err();
    assert!(matches!(error, Some(ReadError::TooManyColumns { count: 2_002 })));
}

#[test]
fn a_source_that_fails_ends_in_one_bad_row() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let good = b"Email\nd@x.test\n".repeat(10_000);
    let mut reader =
        Reader::open(io::Read::chain(good.as_slice(), Failing), &options()).expect("a list");
    let rows: Vec<Row> = std::iter::from_fn(|| reader.next_row()).collect();
    let (last, before) = rows.split_last().expect("rows");
    assert!(
        last.parsed.as_ref().is_err_and(|problem| problem.problem.contains("the disk is gone"))
    );
    assert!(before.len() > 1_000);
}

#[test]
fn what_a_spreadsheet_would_run_is_guarded_and_reading_takes_the_guard_off() {
    for (text, cell) in
        [("=1+1", "'=1+1"), ("+49", "'+49"), ("-", "'-"), ("@x", "'@x"), ("a=b", "a=b"), ("", "")]
    {
        assert_eq!(safe_cell(text), cell);
        assert_eq!(values::text::clean(cell), text);
    }
    assert_eq!(safe_cell("\tx"), "'\tx");
}
