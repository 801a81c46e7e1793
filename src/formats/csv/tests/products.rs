//! The header rows of the products that people export from, with the traps in them.

use super::*;

/// A product's header, what it is recognised as, and what its columns must become.
struct Product {
    header: &'static str,
    source: Option<&'static str>,
    fields: &'static [(&'static str, &'static str)],
}

const IGNORED: &str = "";

const PRODUCTS: &[Product] = &[
    Product {
        header: "First Name,Last Name,Title,Company Name,Company Name for Emails,Email,Email Status,Primary Email Source,Email Confidence,Seniority,Departments,Contact Owner,Work Direct Phone,Home Phone,Mobile Phone,Corporate Phone,Other Phone,Do Not Call,Stage,Lists,Last Contacted,Account Owner,# Employees,Industry,Keywords,Person Linkedin Url,Website,Company Linkedin Url,Facebook Url,City,State,Country,Company Address,Company City,Company State,Company Country,Company Phone,Technologies,Annual Revenue,Total Funding,Latest Funding,Email Sent,Apollo Contact Id,Apollo Account Id,Secondary Email,Secondary Email Source,Tertiary Email",
        source: Some("Apollo contacts"),
        fields: &[
            ("Title", "title"),
            ("Company Name", "company"),
            ("Company Name for Emails", "company_email_name"),
            ("Email", "email"),
            ("Email Status", "x.email_status"),
            ("Primary Email Source", "x.primary_email_source"),
            ("Work Direct Phone", "phone_direct"),
            ("Corporate Phone", "phone_office"),
            ("Home Phone", "phone_other"),
            ("Do Not Call", "do_not_call"),
            ("# Employees", "employees"),
            ("Keywords", "x.keywords"),
            ("Person Linkedin Url", "linkedin_url"),
            ("Company Linkedin Url", "x.company_linkedin_url"),
            ("City", "city"),
            ("Company City", "company_city"),
            ("Country", "country"),
            ("Company Country", "company_country"),
            ("Annual Revenue", "revenue"),
            ("Latest Funding", "x.latest_funding"),
            ("Apollo Contact Id", "source_id"),
            ("Apollo Account Id", "x.apollo_account_id"),
            ("Secondary Email", "email_2"),
            ("Contact Owner", "owner"),
        ],
    },
    Product {
        header: "ZoomInfo Contact ID,Last Name,First Name,Middle Name,Salutation,Suffix,Job Title,Job Title Hierarchy Level,Management Level,Job Function,Department,Direct Phone Number,Email Address,Email Domain,Mobile phone,Previous Job Title,Previous Company Name,Previous Company LinkedIn Profile,ZoomInfo Contact Profile URL,LinkedIn Contact Profile URL,Person Street,Person City,Person State,Person Zip Code,Country,ZoomInfo Company ID,Company Name,Website,Company HQ Phone,Fax,Revenue (in 000s USD),Revenue Range (in USD),Est. Marketing Department Budget (in 000s USD),Employees,Employee Range,Past 1 Year Employee Growth Rate,SIC Code 1,NAICS Code 1,Primary Industry,LinkedIn Company Profile URL,Company City,Company State,Company Country",
        source: Some("ZoomInfo contacts"),
        fields: &[
            ("ZoomInfo Contact ID", "source_id"),
            ("Job Title", "title"),
            ("Previous Job Title", "x.previous_job_title"),
            ("Previous Company LinkedIn Profile", "x.previous_company_linkedin_profile"),
            ("Email Domain", "company_domain"),
            ("ZoomInfo Contact Profile URL", "x.zoominfo_contact_profile_url"),
            ("LinkedIn Contact Profile URL", "linkedin_url"),
            ("LinkedIn Company Profile URL", "x.company_linkedin_url"),
            ("Company HQ Phone", "phone_office"),
            ("Fax", IGNORED),
            ("Revenue (in 000s USD)", "revenue"),
            (
                "Est. Marketing Department Budget (in 000s USD)",
                "x.est_marketing_department_budget_in_000s_usd",
            ),
            ("Employees", "employees"),
            ("Past 1 Year Employee Growth Rate", "x.past_1_year_employee_growth_rate"),
            ("Person State", "region"),
            ("Company State", "x.company_region"),
        ],
    },
    Product {
        header: "Research Date,Contact Full Name,First Name,Middle Name,Last Name,Title,Department,Seniority,Company Name,Company Name - Cleaned,Website,List,Primary Email,Contact LI Profile URL,Email 1,Email 1 Validation,Email 1 Total AI,Email 2,Personal Email,Contact Phone 1,Contact Phone 1 Total AI,Company Phone 1,Contact City,Contact State,Contact State Abbr,Contact Country,Contact Country (Alpha 2),Company Annual Revenue,Company Website Domain,Company LI Profile Url,Company Staff Count,Company Staff Count Range,First Name,Last Name,Lists,Location",
        source: Some("Seamless.AI contacts"),
        fields: &[
            ("Contact Full Name", "full_name"),
            ("First Name", "first_name"),
            ("Company Name - Cleaned", "company_email_name"),
            ("Primary Email", "email"),
            ("Email 1 Total AI", IGNORED),
            ("Contact Phone 1", "phone_direct"),
            ("Contact Phone 1 Total AI", IGNORED),
            ("Contact LI Profile URL", "linkedin_url"),
            ("Company LI Profile Url", "x.company_linkedin_url"),
            ("Company Website Domain", "company_domain"),
            ("Contact Country (Alpha 2)", "country"),
            ("Company Staff Count Range", "employees_range"),
        ],
    },
    Product {
        header: "profileUrl,fullName,firstName,lastName,companyName,title,companyId,companyUrl,regularCompanyUrl,summary,industry,companyLocation,location,pastExperienceCompanyName,pastExperienceCompanyTitle,connectionDegree,profileImageUrl,name,vmid,linkedInProfileUrl,isPremium,query,timestamp,defaultProfileUrl",
        source: Some("LinkedIn Sales Navigator through PhantomBuster"),
        fields: &[
            ("profileUrl", "x.sales_navigator_url"),
            ("companyUrl", "x.company_sales_navigator_url"),
            ("regularCompanyUrl", "x.company_linkedin_url"),
            ("linkedInProfileUrl", "linkedin_url"),
            ("defaultProfileUrl", "linkedin_url"),
            ("pastExperienceCompanyTitle", "x.past_experience_company_title"),
            ("vmid", "source_id"),
            ("companyName", "company"),
            ("title", "title"),
        ],
    },
    Product {
        header: "First Name,Last Name,Full Name,Current Job,Email,Email Status,Phone,Linkedin URL Public,Linkedin URL Unique ID,Matches Filters,Location,Company Name,Company Domain,Company Website URL,Company Linkedin URL Unique ID,Company Industry,Company Employee Exact Count,Company Employee Range,Company Employee Growth 1 Year (%)",
        source: Some("LinkedIn Sales Navigator through Evaboot"),
        fields: &[
            ("Current Job", "title"),
            ("Linkedin URL Public", "linkedin_url"),
            ("Company Linkedin URL Unique ID", "x.company_linkedin_url"),
            ("Company Employee Exact Count", "employees"),
            ("Company Employee Growth 1 Year (%)", "x.company_employee_growth_1_year"),
            ("Location", "location"),
        ],
    },
    Product {
        header: "first_name,last_name,full_name,title,email,email_status,email_type,phone_number1,mobile_phone1,linkedin_profile_url,location,company,company_domain,company_website,company_size,company_industry,company_location,company_linkedin",
        source: Some("LinkedIn Sales Navigator through Wiza"),
        fields: &[
            ("phone_number1", "phone_direct"),
            ("mobile_phone1", "phone_mobile"),
            ("linkedin_profile_url", "linkedin_url"),
            ("company_linkedin", "x.company_linkedin_url"),
            ("company_size", "employees_range"),
        ],
    },
    Product {
        header: "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Job Title,Company Name,Associated Company,Associated Company IDs,Website URL,City,State/Region,Country/Region,Contact owner,Lead Status,Lifecycle Stage,Create Date,Original Source,Unsubscribed from all email",
        source: Some("HubSpot contacts"),
        fields: &[
            ("Record ID", "source_id"),
            ("Associated Company", "company"),
            ("Associated Company IDs", "x.associated_company_ids"),
            ("State/Region", "region"),
            ("Country/Region", "country"),
            ("Unsubscribed from all email", "email_opt_out"),
            ("Lifecycle Stage", "x.status_in_source"),
        ],
    },
    Product {
        header: "Salutation,First Name,Last Name,Title,Company / Account,Email,City,State/Province,Zip/Postal Code,Country,Phone,Mobile,Lead Status,Create Date,Last Activity",
        source: Some("Salesforce leads"),
        fields: &[
            ("Title", "title"),
            ("Company / Account", "company"),
            ("State/Province", "region"),
            ("Zip/Postal Code", "x.postal_code"),
            ("Mobile", "phone_mobile"),
        ],
    },
    Product {
        header: "Salutation,First Name,Last Name,Title,Mailing Street,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Mailing Country,Phone,Mobile,Fax,Email,Account Owner,Account Name",
        source: Some("Salesforce contacts"),
        fields: &[
            ("Salutation", "salutation"),
            ("Title", "title"),
            ("Mailing Country", "country"),
            ("Fax", IGNORED),
            ("Account Name", "company"),
            ("Account Owner", "owner"),
        ],
    },
    Product {
        header: "Id,FirstName,LastName,Company,Email,MobilePhone,NumberOfEmployees,HasOptedOutOfEmail",
        source: Some("Salesforce Data Loader"),
        fields: &[
            ("FirstName", "first_name"),
            ("MobilePhone", "phone_mobile"),
            ("NumberOfEmployees", "employees"),
            ("HasOptedOutOfEmail", "email_opt_out"),
        ],
    },
    Product {
        header: "Person - Name,Person - First name,Person - Last name,Person - Label,Person - Organization,Person - Email - Work,Person - Email - Home,Person - Email - Other,Person - Phone - Work,Person - Phone - Home,Person - Phone - Mobile,Person - Title,Person - Owner,Person - Marketing status,Person - ID,Organization - Name,Organization - Address",
        source: Some("Pipedrive people"),
        fields: &[
            ("Person - Name", "full_name"),
            ("Person - First name", "first_name"),
            ("Person - Organization", "company"),
            ("Person - Email - Work", "email"),
            ("Person - Email - Home", "email_personal"),
            ("Person - Phone - Work", "phone_direct"),
            ("Person - Phone - Mobile", "phone_mobile"),
            ("Person - Title", "title"),
            ("Organization - Name", "company"),
            ("Organization - Address", "x.organization_address"),
        ],
    },
    Product {
        header: "First Name,Last Name,Full Name,Job Title,Seniority,Departments,Work Email,Additional Email 1,Phone 1,Phone 1 Type,Phone 2,Phone 2 Type,LinkedIn URL,Country,State,City,Company Name,Company Domain,Company Number of Employees,Company Revenue,Company linkedin URL,Total Funding Amount,Company Main Industry,Company Technologies,Company Country,Company Country ISO",
        source: Some("Lusha contacts"),
        fields: &[
            ("Work Email", "email"),
            ("Additional Email 1", "email_2"),
            ("Phone 1", "phone_direct"),
            ("Phone 1 Type", "x.phone_1_type"),
            ("Company linkedin URL", "x.company_linkedin_url"),
            ("LinkedIn URL", "linkedin_url"),
            ("Company Number of Employees", "employees"),
            ("Total Funding Amount", "x.total_funding_amount"),
            ("Company Country ISO", "company_country"),
        ],
    },
    Product {
        header: "First Name,Last Name,Email,Company Name,Job Title,Office Phone,Mobile Phone,Direct Phone,LinkedIn URL,Industry,Headcount,Revenue,City,Country,State,Street,Zip Code,Website,TPS",
        source: None,
        fields: &[
            ("Office Phone", "phone_office"),
            ("Headcount", "employees"),
            ("Zip Code", "x.postal_code"),
            ("Street", "x.street"),
            ("TPS", "do_not_call"),
        ],
    },
    Product {
        header: "Company Table Data,Company Domain,First Name,Last Name,Full Name,Job Title,Location,LinkedIn Profile,Work Email,Validate Email,My Icebreaker 🚀",
        source: Some("Clay people"),
        fields: &[
            ("Company Table Data", "company"),
            ("LinkedIn Profile", "linkedin_url"),
            ("Validate Email", "x.email_status"),
            ("My Icebreaker 🚀", "x.my_icebreaker"),
        ],
    },
    Product {
        header: "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Last Name,Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - City,Address 1 - Country",
        source: Some("Google contacts"),
        fields: &[
            ("First Name", "first_name"),
            ("Phonetic First Name", IGNORED),
            ("Birthday", IGNORED),
            ("Photo", IGNORED),
            ("Name Prefix", "salutation"),
            ("Organization Title", "title"),
            ("E-mail 1 - Label", "x.email_1_label"),
            ("E-mail 1 - Value", "email"),
            ("Phone 1 - Value", "phone_direct"),
            ("Address 1 - Country", "country"),
        ],
    },
    Product {
        header: "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,Business City,Business State,Business Country/Region,Business Fax,Business Phone,Business Phone 2,Company Main Phone,Mobile Phone,Primary Phone,E-mail Address,E-mail Type,E-mail Display Name,E-mail 2 Address,Assistant's Name,Birthday,Notes,Web Page",
        source: Some("Outlook contacts"),
        fields: &[
            ("Title", "salutation"),
            ("Job Title", "title"),
            ("Business Country/Region", "country"),
            ("Business Fax", IGNORED),
            ("Assistant's Name", IGNORED),
            ("Business Phone", "phone_direct"),
            ("E-mail Address", "email"),
            ("E-mail 2 Address", "email_2"),
            ("Web Page", "company_website"),
        ],
    },
    Product {
        header: "First Name,Last Name,URL,Email Address,Company,Position,Connected On",
        source: Some("LinkedIn connections"),
        fields: &[
            ("URL", "linkedin_url"),
            ("Position", "title"),
            ("Connected On", "x.connected_on"),
        ],
    },
    Product {
        header: "Input - Full Name,Input - First Name,Input - Current Title,Input - LinkedIn URL,First Name,Last Name,Title,Employer,Employer Domain,Employer Website,Employer LinkedIn,Location,LinkedIn,Recommended Email,Recommended Personal Email,A Emails,A- Emails,Phone,Mobile Phone,Office Phone,Other Phones",
        source: Some("RocketReach contacts"),
        fields: &[
            ("Input - Full Name", IGNORED),
            ("Input - LinkedIn URL", IGNORED),
            ("Employer", "company"),
            ("Employer LinkedIn", "x.company_linkedin_url"),
            ("LinkedIn", "linkedin_url"),
            ("Recommended Email", "email"),
            ("Recommended Personal Email", "email_personal"),
        ],
    },
    Product {
        header: "Email address,First name,Last name,Position,Company,Industry,Company size,Country,Website,Twitter,LinkedIn URL,Phone number,Notes,Source,Confidence score,Verification status,Sending status",
        source: Some("Hunter leads"),
        fields: &[
            ("Email address", "email"),
            ("Company size", "employees_range"),
            ("Verification status", "x.email_status"),
        ],
    },
    Product {
        header: "First name,Last name,Position,Company,Company website,Location,Email,Corporate email,Phone,Profile link,Status",
        source: Some("Dripify leads"),
        fields: &[
            ("Corporate email", "email"),
            ("Profile link", "linkedin_url"),
            ("Company website", "company_website"),
            ("Status", "x.status_in_source"),
        ],
    },
    Product {
        header: "_row,_problem,_fix,Vorname,Nachname,E-Mail-Adresse,Firma,Handy",
        source: None,
        fields: &[
            ("_problem", IGNORED),
            ("Vorname", "first_name"),
            ("E-Mail-Adresse", "email"),
            ("Handy", "phone_mobile"),
        ],
    },
];

#[test]
fn the_columns_of_every_known_product_become_the_right_fields() {
    for product in PRODUCTS {
        let layout = open(product.header, &options()).layout().clone();
        assert_eq!(layout.source.as_deref(), product.source, "{}", product.header);
        for (header, field) in product.fields {
            let column = layout.columns.iter().find(|column| column.header == *header);
            let column = column.unwrap_or_else(|| panic!("no column {header}"));
            let found = column.field.as_deref().unwrap_or(IGNORED);
            assert_eq!(found, *field, "{header} of {:?}", product.source);
            assert!(!column.why.is_empty(), "{header}");
        }
    }
}

#[test]
fn a_list_of_companies_only_is_refused_because_nobody_can_be_reached() {
    let header = "Company Name,Company Name for Emails,# Employees,Industry,Website,Company Linkedin Url,Company Country,Keywords,Apollo Record Id,Short Description";
    let error = Reader::open(header.as_bytes(), &options()).err().expect("refused");
    assert!(matches!(&error, ReadError::NoChannel { .. }), "{error}");
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
