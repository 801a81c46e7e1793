//! The header rows of the products that people export from, with the traps in them.

use super::*;

/// A product's headers and what each must become.
struct Product {
    source: Option<&'static str>,
    columns: Vec<(&'static str, Option<&'static str>)>,
}

/// The lists of `products.txt`.
fn products() -> Vec<Product> {
    let mut products: Vec<Product> = Vec::new();
    for line in include_str!("products.txt").lines().filter(|line| !line.starts_with("//")) {
        if let Some(source) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let source = Some(source).filter(|source| *source != "-");
            products.push(Product { source, columns: Vec::new() });
        } else if let Some((header, field)) = line.rsplit_once(" = ") {
            let field = Some(field).filter(|field| *field != "-");
            products.last_mut().expect("a list").columns.push((header, field));
        }
    }
    products
}

/// The headers of all lists.
pub(super) fn headers() -> Vec<Vec<&'static str>> {
    let headers =
        |product: Product| product.columns.into_iter().map(|(header, _)| header).collect();
    products().into_iter().map(headers).collect()
}

/// What `headers` become: the product and the field of every column.
fn mapped(headers: &[String]) -> (Option<String>, Vec<Option<String>>) {
    let synonyms = synonyms::synonyms(None).expect("our own");
    let header = header::read(headers, &options(), &synonyms).expect("a header");
    (header.source, header.columns.into_iter().map(|column| column.field).collect())
}

fn assert_mapped(product: &Product, headers: &[String]) {
    let (source, fields) = mapped(headers);
    assert_eq!(source.as_deref(), product.source, "{headers:?}");
    assert_eq!(fields.len(), product.columns.len());
    for ((header, expected), (written, found)) in
        product.columns.iter().zip(headers.iter().zip(&fields))
    {
        assert_eq!(
            found.as_deref(),
            *expected,
            "{header:?} written {written:?} of {:?}",
            product.source
        );
    }
}

#[test]
fn every_column_of_every_known_product_becomes_the_right_field() {
    let products = products();
    assert!(products.len() > 40);
    for product in &products {
        let headers: Vec<String> = product.columns.iter().map(|(h, _)| (*h).to_owned()).collect();
        assert_mapped(product, &headers);
    }
}

#[test]
fn headers_mean_the_same_in_capitals_in_snake_case_with_blanks_and_marks() {
    let snake = |header: &str| key::key(header).replace(' ', "_");
    // Capitals take the words of `camelCase` apart for good.
    let shouted = |header: &str| match key::key(&header.to_uppercase()) == key::key(header) {
        true => header.to_uppercase(),
        false => header.to_owned(),
    };
    let ways: [&dyn Fn(&str) -> String; 5] = [
        &shouted,
        &snake,
        &|header| format!("  {header} \u{a0}"),
        &|header| format!("\u{feff}{}", header.replace(' ', "  ")),
        &|header| header.to_lowercase(),
    ];
    for product in &products() {
        for way in ways {
            let ours = |header: &str| header.starts_with('_');
            let written = |header: &str| if ours(header) { header.to_owned() } else { way(header) };
            let headers: Vec<String> = product.columns.iter().map(|(h, _)| written(h)).collect();
            let is_torn = headers
                .iter()
                .zip(&product.columns)
                .any(|(written, (header, _))| key::key(written) != key::key(header));
            if !is_torn {
                assert_mapped(product, &headers);
            }
        }
    }
}

#[test]
fn the_order_of_the_columns_does_not_matter() {
    let synonyms = synonyms::synonyms(None).expect("our own");
    let fingerprint = |headers: &[String]| {
        header::read(headers, &options(), &synonyms).expect("a header").fingerprint
    };
    for mut product in products() {
        let before: Vec<String> = product.columns.iter().map(|(h, _)| (*h).to_owned()).collect();
        product.columns.reverse();
        let after: Vec<String> = product.columns.iter().map(|(h, _)| (*h).to_owned()).collect();
        assert_mapped(&product, &after);
        assert_eq!(fingerprint(&before), fingerprint(&after));
    }
}

#[test]
fn a_list_of_companies_only_is_refused_because_nobody_can_be_reached() {
    let header = "Company Name,Company Name for Emails,# Employees,Industry,Website,Company Linkedin Url,Company Country,Keywords,Apollo Record Id,Short Description";
    let error = Reader::open(header.as_bytes(), &options()).err().expect("refused");
    assert!(matches!(&error, ReadError::NoChannel { .. }), "{error}");
    assert!(error.to_string().starts_with("this is a list of Apollo accounts; "), "{error}");
    assert!(error.to_string().contains("--map 'Column=email'"));
}

#[test]
fn seamless_writes_names_twice_and_the_filled_ones_win() {
    let text = "Research Date,First Name,Last Name,Contact LI Profile URL,Email 1,First Name,Last Name\n\
                today,Dana,Whitfield,,d@x.test,,\n";
    let mut reader = open(text, &options());
    assert!(reader.layout().columns[5].why.contains("twice"));
    let person = reader.next_row().expect("a row").parsed.expect("a person");
    assert_eq!(person.first_name.as_deref(), Some("Dana"));
    assert_eq!(person.last_name.as_deref(), Some("Whitfield"));
}

#[test]
fn outlooks_title_is_how_to_address_somebody_and_not_the_job() {
    let text = "Title,First Name,Last Name,Job Title,Business Phone,E-mail Address,E-mail Display Name\n\
                Mr.,Dan,White,CFO,,d@x.test,Dan\nDoctor of Law,Ann,Hill,,,a@x.test,Ann\n";
    let people: Vec<ProspectDraft> =
        rows(text).into_iter().map(|row| row.parsed.expect("a person")).collect();
    assert_eq!(people[0].salutation.as_deref(), Some("Mr."));
    assert_eq!(people[0].title.as_deref(), Some("CFO"));
    assert_eq!(people[1].title, None);
}

#[test]
fn phantombusters_profile_address_is_kept_apart_from_the_public_one() {
    let text = "profileUrl,firstName,lastName,companyUrl,regularCompanyUrl,vmid,defaultProfileUrl\n\
                \"https://www.linkedin.com/sales/lead/ACwAAA1,NAME_SEARCH,x\",Dana,White,\
                https://www.linkedin.com/sales/company/1,https://www.linkedin.com/company/acme,ACwAAA1,https://www.linkedin.com/in/dana\n";
    let row = only_row(text);
    assert_eq!(row.warnings, []);
    let person = row.parsed.expect("a person");
    assert_eq!(person.linkedin.as_deref(), Some("dana"));
    assert!(person.extra["sales_navigator_url"].contains("/sales/lead/"));
    assert_eq!(person.extra["company_linkedin_url"], "https://www.linkedin.com/company/acme");
}

#[test]
fn what_was_uploaded_to_rocketreach_is_not_taken_for_what_it_found() {
    let text = "Input - First Name,Input - Current Employer,First Name,Last Name,Employer,Recommended Email\n\
                Wrong,Wrong Ltd,Dana,White,Acme,d@x.test\nWrong,Wrong Ltd,,,,a@x.test\n";
    let people: Vec<ProspectDraft> =
        rows(text).into_iter().map(|row| row.parsed.expect("a person")).collect();
    assert_eq!(people[0].first_name.as_deref(), Some("Dana"));
    assert_eq!((&people[1].first_name, &people[1].company.name), (&None, &None));
    assert!(people.iter().all(|person| person.extra.is_empty()));
}

#[test]
fn hubspots_list_of_company_ids_is_no_company() {
    let text = "Record ID,First Name,Email,Associated Company,Associated Company IDs,Lifecycle Stage\n\
                1,Dana,d@x.test,Acme,9002;9999,lead\n";
    let person = person(text);
    assert_eq!(person.company.name.as_deref(), Some("Acme"));
    assert_eq!(person.extra["associated_company_ids"], "9002;9999");
    assert_eq!(person.external_id.as_deref(), Some("1"));
}

#[test]
fn evaboots_internal_link_never_takes_the_place_of_the_public_profile() {
    let internal = "https://www.linkedin.com/in/ACwAAA8BYqEBCGLg_vT_ca6mMEqkpp9nVffJ3hc";
    let text =
        format!("Linkedin URL Unique ID,Linkedin URL Public\n{internal},linkedin.com/in/dana\n");
    let row = only_row(&text);
    assert_eq!(row.parsed.expect("a person").linkedin.as_deref(), Some("dana"));
    assert_eq!(row.warnings, []);
    let row = only_row(&format!("Linkedin URL Unique ID,Email\n{internal},d@x.test\n"));
    assert_eq!(row.warnings.len(), 1);
    let person = row.parsed.expect("a person");
    assert_eq!((person.linkedin, person.extra["linkedin_other"].as_str()), (None, internal));
}

#[test]
fn notes_before_linkedins_header_are_skipped_and_lines_still_counted() {
    let text = "Notes:\n\"When exporting your connection data, you may notice that\nsome are missing, as...\"\n\n\
                First Name,Last Name,URL,Email Address,Company,Position,Connected On\n\
                Dana,Whitfield,https://www.linkedin.com/in/dana,,Northwind,VP Sales,01 Mar 2026\n";
    let row = only_row(text);
    assert_eq!((row.number, row.line), (1, 6));
    assert_eq!(row.parsed.expect("a person").linkedin.as_deref(), Some("dana"));
}

#[test]
fn zoominfo_counts_revenue_in_thousands() {
    let text = "ZoomInfo Contact ID,Email Address,Revenue (in 000s USD)\n1,d@x.test,\"10,000\"\n";
    let revenue = person(text).company.revenue.expect("a revenue");
    assert_eq!((revenue.low, revenue.high), (10_000_000, Some(10_000_000)));
}

#[test]
fn salesforces_lines_below_the_table_are_no_rows() {
    let text = "First Name,Last Name,Email\nDana,Whitfield,d@x.test\n\n\
                \"Copyright (c) 2000-2026 salesforce.com, inc.\"\n\"Confidential Information - Do Not Distribute\"\n\
                Generated By: Dana Whitfield 3/2/2026,,\n";
    let mut reader = open(text, &options());
    assert!(reader.next_row().is_some_and(|row| row.parsed.is_ok()));
    assert_eq!(reader.next_row(), None);
    assert_eq!(reader.footers(), 3);
}
