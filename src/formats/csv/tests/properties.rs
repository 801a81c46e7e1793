//! What holds for every file.

use proptest::prelude::*;

use super::*;

/// Opens and drains a list; how many rows it had, if it is one.
fn drain(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::open(bytes, &options()).ok()?;
    Some(std::iter::from_fn(|| reader.next_row()).count())
}

/// Text that is likely to hit the rules: quotes, delimiters, units, signs.
const LIVELY: &str = "[a-zA-Z0-9 \"',;:@.+=/|()%$<>#&é李😀\u{300}\u{200b}\t\r\n-]{0,24}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        drain(&bytes);
    }

    #[test]
    fn random_bytes_behind_a_header_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let header = b"Name,Email,Phone,LinkedIn,Company,Website,Employees,Revenue,Country,Location,Notes\n";
        drain(&[header.as_slice(), &bytes].concat());
    }

    #[test]
    fn lively_cells_never_panic(
        rows in proptest::collection::vec(proptest::collection::vec(LIVELY, 0..14), 0..12),
        header in proptest::collection::vec(LIVELY, 0..4),
    ) {
        let fixed = "Name,Email,Phone,LinkedIn,Company,Website,Employees,Revenue,Country,Location,";
        let rows: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        drain(format!("{fixed}{}\n{}", header.join(","), rows.join("\n")).as_bytes());
    }

    #[test]
    fn as_many_rows_come_out_as_were_written(
        rows in proptest::collection::vec((LIVELY, "[a-z]{1,8}@[a-z]{1,8}\\.test", LIVELY), 0..20),
        delimiter in proptest::sample::select(vec![b',', b';', b'\t', b'|']),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter).terminator(end).from_writer(Vec::new());
        writer.write_record(["First Name", "Email", "Notes"]).expect("memory");
        for (name, email, notes) in &rows {
            writer.write_record([name, email, notes]).expect("memory");
        }
        let bytes = writer.into_inner().expect("memory");
        let mut reader = Reader::open(bytes.as_slice(), &options()).expect("a list");
        let found: Vec<Row> = std::iter::from_fn(|| reader.next_row()).collect();
        prop_assert_eq!(found.len(), rows.len());
        for (row, (name, email, _)) in found.iter().zip(&rows) {
            let name = one_kind_of_line_end(name);
            prop_assert_eq!(row.raw.get(0), Some(name.as_str()));
            prop_assert_eq!(row.raw.get(1), Some(email.as_str()));
            prop_assert!(row.parsed.is_ok());
        }
    }

    #[test]
    fn every_cell_written_safely_is_no_formula(text in LIVELY) {
        let first = safe_cell(&text).chars().next();
        prop_assert!(!first.is_some_and(|c| "=+-@\t\r".contains(c)));
    }
}

/// Inside a cell all line ends become the same.
fn one_kind_of_line_end(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
