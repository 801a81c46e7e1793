//! A list as a file: opened with care, watched while it is read, and its rows to mend beside it.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::engine::import::RowProblem;
use crate::engine::workspace::hex;
use crate::formats::csv::{Layout, Options, ReadError, Reader, Row, safe_cell};

/// What comes over standard input is held in memory, so it is bounded; in bytes.
const MAX_STDIN: u64 = 512 * 1024 * 1024;

/// Bytes that are read at a time.
const BUFFER: usize = 256 * 1024;

/// A list that is about to be read.
pub struct ListFile {
    /// As people named it.
    pub path: PathBuf,
    /// Of all bytes, in hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
    source: Bytes,
    read: Arc<AtomicU64>,
}

enum Bytes {
    /// With length and time of change when it was first looked at.
    File(u64, Option<std::time::SystemTime>),
    Memory(Arc<[u8]>),
}

/// Why a list cannot be read.
#[derive(Debug, Error)]
pub enum ListError {
    #[error("cannot read {path}: {detail}")]
    Io { path: String, detail: String },
    #[error("{path} is a folder: name the file in it")]
    Folder { path: String },
    #[error("{path} is neither a file nor a pipe that ends: save the list as a file")]
    NoFile { path: String },
    #[error("{path} changed while it was read: wait until it is written, and import it again")]
    Changing { path: String },
    #[error("more than 512 MiB came over standard input: save it as a file and import that")]
    TooMuch,
    #[error("{path}: {source}")]
    Read { path: String, source: ReadError },
}

impl ListFile {
    /// Looks at a file, or takes standard input in for `-`.
    ///
    /// # Errors
    /// See [`ListError`].
    pub fn open(path: &Path) -> Result<Self, ListError> {
        match path.as_os_str() == "-" {
            true => Self::from_stdin(),
            false => Self::from_file(path),
        }
    }

    fn from_file(path: &Path) -> Result<Self, ListError> {
        let failed = |error: io::Error| ListError::Io {
            path: path.display().to_string(),
            detail: said(&error),
        };
        let meta = fs::metadata(path).map_err(failed)?;
        let name = || path.display().to_string();
        if meta.is_dir() {
            return Err(ListError::Folder { path: name() });
        }
        if !meta.is_file() {
            return Err(ListError::NoFile { path: name() });
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut size = 0;
        loop {
            let n = file.read(&mut buffer).map_err(failed)?;
            if n == 0 {
                break;
            }
            digest.update(buffer.get(..n).unwrap_or_default());
            size += n as u64;
        }
        let list = Self {
            path: path.to_owned(),
            digest: hex(&digest.finalize()[..16]),
            size,
            source: Bytes::File(meta.len(), meta.modified().ok()),
            read: Arc::default(),
        };
        list.unchanged().map(|()| list)
    }

    fn from_stdin() -> Result<Self, ListError> {
        let mut bytes = Vec::new();
        let read = io::stdin().take(MAX_STDIN + 1).read_to_end(&mut bytes);
        read.map_err(|error| ListError::Io { path: "-".to_owned(), detail: said(&error) })?;
        if bytes.len() as u64 > MAX_STDIN {
            return Err(ListError::TooMuch);
        }
        Ok(Self {
            path: PathBuf::from("-"),
            digest: hex(&Sha256::digest(&bytes)[..16]),
            size: bytes.len() as u64,
            source: Bytes::Memory(bytes.into()),
            read: Arc::default(),
        })
    }

    /// Whether it is still the file that was first looked at.
    ///
    /// # Errors
    /// It grew, shrank or was written since.
    pub fn unchanged(&self) -> Result<(), ListError> {
        let Bytes::File(length, modified) = &self.source else { return Ok(()) };
        let same = |meta: &Metadata| meta.len() == *length && meta.modified().ok() == *modified;
        match fs::metadata(&self.path) {
            Ok(meta) if same(&meta) && self.size == *length => Ok(()),
            _ => Err(ListError::Changing { path: self.name() }),
        }
    }

    /// A reader from its beginning.
    ///
    /// # Errors
    /// It is gone, or no list.
    pub fn reader(&self, options: &Options) -> Result<Reader<Box<dyn Read + Send>>, ListError> {
        let bytes: Box<dyn Read + Send> = match &self.source {
            Bytes::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Bytes::File(..) => {
                let failed = |error| ListError::Io { path: self.name(), detail: said(&error) };
                Box::new(File::open(&self.path).map_err(failed)?)
            }
        };
        self.read.store(0, Ordering::Relaxed);
        let counted: Box<dyn Read + Send> = Box::new(Counted { bytes, read: self.read.clone() });
        Reader::open(counted, options)
            .map_err(|source| ListError::Read { path: self.name(), source })
    }

    /// How many bytes of it were read.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// As messages name it.
    pub fn name(&self) -> String {
        match self.path.as_os_str() == "-" {
            true => "standard input".to_owned(),
            false => self.path.display().to_string(),
        }
    }

    /// Its name without folders; `-` for standard input.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "-".to_owned())
    }

    /// Its name without folders and endings, and without what [`Mending::path_for`] adds.
    pub fn stem(&self) -> String {
        let stem = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let stem = stem.unwrap_or_else(|| "list".to_owned());
        let (base, tail) = stem.rsplit_once(".fix").unwrap_or((&stem, "no"));
        let is_ours = tail.strip_prefix('-').unwrap_or(tail).bytes().all(|b| b.is_ascii_digit());
        let base = if is_ours { base } else { &stem };
        if base == "-" { "stdin".to_owned() } else { base.to_owned() }
    }
}

/// What the operating system said, without its number.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; `ls -l` shows whose it is".to_owned()
        }
        _ => error.to_string(),
    }
}

struct Counted {
    bytes: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The columns that stand in front of the original ones.
const FRONT: [&str; 3] = ["_row", "_problem", "_fix"];

/// The rows that somebody has to mend, as a file to be edited and imported again: the original
/// columns in their order, with the same delimiter and encoding, and three more in front.
pub struct Mending {
    path: PathBuf,
    layout: Layout,
    /// Of the three columns in front, where the list has them already.
    ours: Vec<Option<usize>>,
    writer: Option<csv::Writer<Encoded>>,
    failed: Option<io::Error>,
}

impl Mending {
    /// Where the rows of a list go: beside it or into a folder, under a name that is not its own.
    pub fn path_for(list: &ListFile, folder: Option<&Path>) -> PathBuf {
        let beside = match list.path.as_os_str() == "-" {
            true => Path::new(""),
            false => list.path.parent().unwrap_or(Path::new("")),
        };
        let folder = folder.unwrap_or(beside);
        let stem = list.stem();
        let first = folder.join(format!("{stem}.fix.csv"));
        if first != list.path {
            return first;
        }
        // The list itself holds mended rows: it is never written over.
        folder.join(format!("{stem}.fix-2.csv"))
    }

    /// Nothing is written before the first row comes.
    pub fn new(path: PathBuf, layout: Layout) -> Self {
        let at = |name: &&str| layout.columns.iter().position(|column| column.header == **name);
        let ours = FRONT.iter().map(at).collect();
        Self { path, layout, ours, writer: None, failed: None }
    }

    /// Adds a row with what is wrong with it. What goes wrong is said by [`Mending::finish`].
    pub fn add(&mut self, row: &Row, problem: &RowProblem) {
        if self.failed.is_none()
            && let Err(error) = self.try_add(row, problem)
        {
            self.failed = Some(error);
        }
    }

    fn try_add(&mut self, row: &Row, problem: &RowProblem) -> io::Result<()> {
        let original = self.ours.first().copied().flatten().and_then(|at| row.raw.get(at));
        let number = original.map_or_else(|| row.number.to_string(), str::to_owned);
        let column = problem.problem.column.as_ref();
        let what = column.map_or_else(
            || problem.problem.problem.clone(),
            |column| format!("{column}: {}", problem.problem.problem),
        );
        let front = [number, what, problem.problem.fix.clone()];
        let rest = row.raw.iter().enumerate().filter(|(at, _)| !self.ours.contains(&Some(*at)));
        let rest = rest.map(|(_, cell)| safe_cell(cell).into_owned());
        let cells: Vec<String> = front.into_iter().chain(rest).collect();
        self.writer()?.write_record(&cells).map_err(io::Error::other)
    }

    fn writer(&mut self) -> io::Result<&mut csv::Writer<Encoded>> {
        if self.writer.is_none() {
            if let Some(folder) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            let file = BufWriter::new(File::create(self.part())?);
            let encoded = Encoded::new(file, &self.layout.encoding)?;
            let mut builder = csv::WriterBuilder::new();
            let delimiter = u8::try_from(self.layout.delimiter).unwrap_or(b',');
            builder.delimiter(delimiter).flexible(true);
            let mut writer = builder.from_writer(encoded);
            let own = self.layout.columns.iter().map(|column| column.header.as_str());
            let own = own.filter(|header| !FRONT.contains(header));
            let header: Vec<&str> = FRONT.into_iter().chain(own).collect();
            writer.write_record(&header).map_err(io::Error::other)?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().ok_or_else(|| io::Error::other("no writer"))
    }

    fn part(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".part");
        PathBuf::from(name)
    }

    /// Puts the file into its place; `None` when there is nothing to mend.
    ///
    /// # Errors
    /// It could not be written.
    pub fn finish(mut self) -> io::Result<Option<PathBuf>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let encoded = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        encoded.finish()?;
        fs::rename(self.part(), &self.path)?;
        Ok(Some(self.path))
    }

    /// Leaves nothing behind.
    pub fn discard(self) {
        // It may never have been begun.
        let _ = fs::remove_file(self.part());
    }
}

/// Text on its way into a file, in the encoding of the list that it came from.
struct Encoded {
    file: BufWriter<File>,
    encoding: &'static encoding_rs::Encoding,
    /// The beginning of a character whose end is still to come.
    rest: Vec<u8>,
}

impl Encoded {
    fn new(mut file: BufWriter<File>, label: &str) -> io::Result<Self> {
        let encoding =
            encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        let mark: &[u8] = match encoding.name() {
            "UTF-16LE" => &[0xff, 0xfe],
            "UTF-16BE" => &[0xfe, 0xff],
            // Excel takes UTF-8 without it for something else.
            "UTF-8" => &[0xef, 0xbb, 0xbf],
            _ => &[],
        };
        file.write_all(mark)?;
        Ok(Self { file, encoding, rest: Vec::new() })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

impl Write for Encoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.rest.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.rest, rest));
        let text = text.map_err(io::Error::other)?;
        match self.encoding.name() {
            "UTF-16LE" => {
                for unit in text.encode_utf16() {
                    self.file.write_all(&unit.to_le_bytes())?;
                }
            }
            "UTF-16BE" => {
                for unit in text.encode_utf16() {
                    self.file.write_all(&unit.to_be_bytes())?;
                }
            }
            _ => self.file.write_all(&self.encoding.encode(&text).0)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
