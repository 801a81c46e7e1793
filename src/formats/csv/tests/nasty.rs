//! Broken files without number: real headers and nasty rows, changed at random but always the same.

use super::*;

/// Files that were a problem for somebody.
const NASTY: &[&[u8]] = &[
    b"\"",
    b"\"\"\"\"\"\"",
    b"Email\n\"",
    b"Email,Name\n\"a\"b\"c\",\"\n\"",
    b"Email\r\r\r\r",
    b"sep=",
    b"sep=;",
    b"sep=;\n\nEmail;Name\n;;;;;;;;\n",
    b"Email,Email,Email\na@x.test,a@x.test,b@x.test\n",
    b"\xef\xbb\xbf\xef\xbb\xbfEmail,Name\na@x.test,Ann\n",
    b"\xff\xfeE\0m\0a\0i\0l\0\n\0\xd8",
    b"\xfe\xff\xd8\0\xdc\0",
    b"Email|Name\n\xff\xff|\xc3\n",
    b"Email\tPhone\n\t+++++++++++\n\t4E+4E+4\n\t00\n",
    b"Name,Phone\n((((((\"\",'''''''\n)]},=\"\"\n",
    b"Name,LinkedIn\n,linkedin.com/in/%%%2%25%c3\n,in/\n,https://linkedin.com/in/in/in\n",
    b"Name,Email,# Employees,Annual Revenue\n,a@x.test,--,$$$\n,a@x.test,1-,-1\n,a@x.test,18446744073709551615,1e9B\n",
    b"Name,Email,Company\n\", ,\",a@x.test,{\n,a@x.test,((((((\n,a@x.test,|\n",
    b"Email,Location\na@x.test,\",,,,\"\na@x.test,Area\na@x.test,Greater Area\n",
    b"\0\0\0\0",
    b"E\0m\0a\0i\0l\0",
    b"Email,Website\na@x.test,http://\na@x.test,//////\na@x.test,@@@@.com\na@x.test,xn--\xc3\xa9\n",
];

/// What is put into files at random places.
const PIECES: &[&[u8]] = &[
    b"\"",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\"\"",
    b"'",
    b"=",
    b"@",
    b"|",
    b":::",
    b"%",
    b"(",
    b")",
    b"E+11",
    b"+",
    b"\xe2\x80\x8b",
    b"\xf0\x9f\x9a\x80",
    b" or ",
    b"Email",
    b"sep=",
];

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).expect("small")
    }
}

fn changed(file: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(file.len() + 1);
        let piece = PIECES[dice.roll(PIECES.len())];
        match dice.roll(4) {
            0 => file.truncate(at),
            1 if at < file.len() => file[at] = u8::try_from(dice.roll(256)).expect("a byte"),
            2 => {
                let end = (at + dice.roll(40)).min(file.len());
                file.drain(at..end);
            }
            _ => drop(file.splice(at..at, piece.iter().copied())),
        }
    }
    file
}

/// Real headers with two rows below, and the nasty files.
fn files() -> Vec<Vec<u8>> {
    let row = |columns: usize, what: &str| vec![what; columns].join(",");
    let real = products::headers().into_iter().map(|headers| {
        let count = headers.len();
        let header: Vec<String> = headers.iter().map(|h| format!("\"{h}\"")).collect();
        let rows = [row(count, "d@x.test"), row(count, "+1 415 555 2671"), row(count, "Dana W")];
        format!("{}\n{}\n", header.join(","), rows.join("\n")).into_bytes()
    });
    real.chain(NASTY.iter().map(|file| file.to_vec())).collect()
}

/// Reads a file in full; every row must have its number, and no more rows than lines.
fn drain(file: &[u8]) {
    let Ok(mut reader) = Reader::open(file, &options()) else { return };
    if file.len().is_multiple_of(2) {
        reader.inspect();
    }
    let is_empty = reader.layout().is_empty;
    let (mut good, mut bad) = (0, 0);
    let mut last = (0, 0);
    while let Some(row) = reader.next_row() {
        assert!(
            row.number == last.0 + 1 && row.line > last.1,
            "{last:?} {} {} of {}",
            row.number,
            row.line,
            file.escape_ascii()
        );
        last = (row.number, row.line);
        if row.parsed.is_ok() { good += 1 } else { bad += 1 }
    }
    assert_eq!(good + bad, last.0);
    assert_eq!(is_empty, last.0 == 0, "{}", file.escape_ascii());
    assert!(reader.next_row().is_none());
}

#[test]
fn no_change_to_any_file_makes_reading_panic_or_lose_count() {
    let files = files();
    files.iter().for_each(|file| drain(file));
    let mut dice = Dice(0x5eed);
    for _ in 0..1_500 {
        let at = dice.roll(files.len());
        drain(&changed(&files[at], &mut dice));
    }
}

#[test]
fn no_header_makes_its_reading_panic() {
    let mut dice = Dice(7);
    let synonyms = synonyms::synonyms(None).expect("our own");
    for headers in products::headers() {
        for _ in 0..10 {
            let headers: Vec<String> = headers
                .iter()
                .map(|header| {
                    String::from_utf8_lossy(&changed(header.as_bytes(), &mut dice)).into_owned()
                })
                .collect();
            let header = header::read(&headers, &options(), &synonyms).expect("a header");
            assert_eq!(header.columns.len(), headers.len());
        }
    }
}
