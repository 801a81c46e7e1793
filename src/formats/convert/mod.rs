//! Cadences of other products, from what their interfaces give out, as files of ours.
//!
//! What cannot be carried over is listed with its place in the JSON and the reason, never dropped in
//! silence, and nothing is carried over in a way that would send more than the original: a mail that
//! waited for a person becomes a task.

use serde_json::Value;
use thiserror::Error;

use crate::formats::cadence_file::write::{self, Unwritable};

mod apollo;
mod body;
mod build;
mod draft;
mod json;
mod outreach;
mod salesloft;
#[cfg(test)]
mod tests;
mod variables;

/// The largest export that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Whose cadence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    Salesloft,
    Outreach,
    Apollo,
}

impl Product {
    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Salesloft => "Salesloft",
            Self::Outreach => "Outreach",
            Self::Apollo => "Apollo",
        }
    }
}

/// A cadence as files, and what is not in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    pub product: Product,
    pub id: String,
    /// Path in a workspace, and text: the cadence first, then its templates.
    pub files: Vec<(String, String)>,
    /// In the order in which they were found.
    pub remarks: Vec<Remark>,
}

/// Something that is not, or not quite, as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where in the JSON, such as `$.data.cadence_content.step_groups[2]`.
    pub path: String,
    pub kind: Kind,
    /// What it is, and why.
    pub message: String,
}

/// Whether something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not in the files.
    Lost,
    /// In the files in another form.
    Changed,
}

/// Why there is no cadence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConvertError {
    #[error("the export has {0} bytes, more than {MAX_BYTES}")]
    TooLarge(usize),
    #[error("this is not JSON: {0}")]
    NotJson(String),
    #[error(
        "this looks like none of the exports that are known; a Salesloft cadence export has \
         `cadence_content.step_groups`, an Outreach answer has `data` and `included` with \
         `sequenceStep`s, an Apollo sequence has `emailer_campaign` and `emailer_steps`"
    )]
    Unknown,
    #[error("{path}: this is no export of {product}: {why}")]
    Shape { path: String, product: &'static str, why: String },
    #[error(
        "{path}: spintax `{text}` makes texts that nobody has read; write two or three whole \
         variants of the mail there, and they become a `split`"
    )]
    Spintax { path: String, text: String },
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
}

/// Reads an export; the product is recognised by its shape when it is not named.
///
/// # Errors
/// The text is no such export, or has something in it that must not be carried over.
pub fn convert(
    text: &str,
    product: Option<Product>,
    calendar: &str,
) -> Result<Conversion, ConvertError> {
    let root = json::read(text)?;
    let product = product.or_else(|| recognised(&root)).ok_or(ConvertError::Unknown)?;
    let mut remarks = Vec::new();
    let draft = match product {
        Product::Salesloft => salesloft::read(&root, &mut remarks),
        Product::Outreach => outreach::read(&root, &mut remarks),
        Product::Apollo => apollo::read(&root, &mut remarks),
    }?;
    let built = build::build(draft, calendar, &mut remarks)?;
    let id = built.cadence.id.to_string();
    let cadence = (format!("cadences/{id}.yaml"), write::write(&built.cadence)?);
    let templates = built.templates.into_iter();
    let templates = templates.map(|(name, text)| (format!("templates/{name}.hbs"), text));
    let files = std::iter::once(cadence).chain(templates).collect();
    Ok(Conversion { product, id, files, remarks })
}

/// The product whose shape an export has.
fn recognised(root: &Value) -> Option<Product> {
    let inside = root.get("data").unwrap_or(root);
    if inside.get("cadence_content").is_some() || inside.get("step_groups").is_some() {
        return Some(Product::Salesloft);
    }
    if root.get("emailer_campaign").is_some() || root.get("emailer_steps").is_some() {
        return Some(Product::Apollo);
    }
    let is_sequence = |value: &Value| value.get("type").is_some_and(|kind| kind == "sequence");
    let listed = inside.as_array().is_some_and(|list| list.iter().any(is_sequence));
    (is_sequence(inside) || listed).then_some(Product::Outreach)
}
