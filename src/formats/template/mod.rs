//! Templates: a text with named gaps, checked before anybody is enrolled and never sent with a gap left open.
//!
//! A file is an optional head between `---` lines and a text in Handlebars, cut down to what a mail needs: fields,
//! `if`/`unless`, four more helpers and partials. Everything else is refused at load, because the template engine itself has
//! no bounds on time, depth or recursion.

mod front_matter;
mod helpers;
mod html;
mod lint;
mod parse;
mod place;
mod render;
mod scan;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handlebars::Handlebars;

pub use self::html::{html_from_text, html_with_preview};
pub use self::render::{Context, RenderError, Rendered};
pub use self::vocabulary::ExtraFields;

use self::lint::Known;
use self::parse::{File, Reach};
use super::diagnostic::{Diagnostic, Severity};

/// The text of one template file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name without its ending, such as `intro-pain` or `partials/signature`.
    pub name: String,
    /// Path relative to the workspace, such as `templates/intro-pain.hbs`.
    pub path: String,
    pub text: String,
}

/// One template after its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    /// Path relative to the workspace.
    pub path: String,
    pub has_subject: bool,
    /// Whether it says what mail programs show beside the subject.
    pub has_preview: bool,
    /// Fields that the text is pointless without.
    pub needs: Vec<String>,
    pub language: Option<String>,
    /// Every field that the subject, the text or a partial names, needed or with a fallback.
    pub fields: BTreeSet<String>,
    /// The fields without a fallback in the template itself, with their line and column: whoever lacks
    /// one cannot be sent this.
    pub gaps: BTreeMap<String, (usize, usize)>,
    /// The fields in front of a `default`, also in partials: without one, its fallback is written.
    pub fallbacks: BTreeSet<String>,
    /// The partials that it includes, also through others.
    pub partials: BTreeSet<String>,
    /// The characters that the text has in any case, before any value is filled in.
    pub least_characters: usize,
}

/// All templates and partials of a workspace, parsed and checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TemplateSet {
    registry: Arc<Handlebars<'static>>,
    templates: Arc<BTreeMap<String, Template>>,
}

impl TemplateSet {
    /// Parses and lints; warnings come back beside the set.
    ///
    /// # Errors
    /// All findings of all files, when at least one of them is an error: nothing is usable then.
    pub fn load(
        sources: &[Source],
        extra_fields: ExtraFields,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut findings = Vec::new();
        let partials: BTreeSet<&str> = sources.iter().filter_map(partial_name).collect();
        let known = Known { extra: &extra_fields, partials: &partials };
        let mut files = Vec::new();
        for source in sources {
            files.extend(parse::file(source, known, &mut findings));
        }
        let mut reaches = BTreeMap::new();
        if files.len() == sources.len() {
            reaches = parse::reaches(&files, &mut findings);
        }
        findings.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(findings);
        }
        Ok((Self::build(files, &reaches), findings))
    }

    fn build(files: Vec<File>, reaches: &BTreeMap<String, Reach>) -> Self {
        let mut registry = helpers::registry();
        let mut templates = BTreeMap::new();
        for file in files {
            if let Some(partial) = file.name.strip_prefix(PARTIALS) {
                registry.register_template(partial, file.body);
                continue;
            }
            let template = template(&file, reaches);
            registry.register_template(&body_key(&file.name), file.body);
            if let Some(subject) = file.subject {
                registry.register_template(&subject_key(&file.name), subject);
            }
            if let Some(preview) = file.preview {
                registry.register_template(&preview_key(&file.name), preview);
            }
            templates.insert(file.name, template);
        }
        Self { registry: Arc::new(registry), templates: Arc::new(templates) }
    }

    /// The template of that name; partials are not templates.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.templates.get(name)
    }

    /// The names of all templates, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.keys().map(String::as_str)
    }

    /// Renders for one person.
    ///
    /// # Errors
    /// A missing field never renders as a blank: it is an error that names the field.
    pub fn render(&self, name: &str, context: &Context) -> Result<Rendered, RenderError> {
        let unknown = || RenderError::UnknownTemplate(name.to_owned());
        let template = self.get(name).ok_or_else(unknown)?;
        let failed = |reason: String| RenderError::Failed { template: name.to_owned(), reason };
        let data = render::data(context);
        if let Some(missing) = template.needs.iter().find(|need| !render::has(&data, need)) {
            return Err(RenderError::MissingField(missing.clone()));
        }
        let data = handlebars::Context::wraps(data).map_err(|error| failed(error.to_string()))?;
        let piece = |key: String| render::render_piece(&self.registry, &key, name, &data);
        let subject = template.has_subject.then(|| piece(subject_key(name))).transpose()?;
        let subject = subject.map(|subject| render::clean_subject(&subject));
        if subject.as_deref() == Some("") {
            return Err(failed("its subject is blank for this person".to_owned()));
        }
        let preview = template.has_preview.then(|| piece(preview_key(name))).transpose()?;
        let preview = preview.map(|preview| render::clean_subject(&preview));
        let text = render::clean_text(&piece(body_key(name))?);
        if text.trim().is_empty() {
            return Err(failed("its text is blank for this person".to_owned()));
        }
        Ok(Rendered { subject, preview: preview.filter(|preview| !preview.is_empty()), text })
    }

    /// What filling in a template for one person comes to, field by field.
    pub fn filling(&self, name: &str, context: &Context) -> Filling {
        let mut filling = Filling::default();
        let rendered = self.render(name, context);
        let Some(template) = self.get(name) else { return filling };
        let data = render::data(context);
        for field in &template.fields {
            let value = render::value(&data, field);
            let asked = template.needs.contains(field) || template.gaps.contains_key(field);
            match value {
                Some(value) => {
                    filling.used.insert(field.clone(), value.to_owned());
                }
                None if asked => filling.missing.push(field.clone()),
                None if template.fallbacks.contains(field) => {
                    filling.fallbacks.push(field.clone());
                }
                None => filling.absent.push(field.clone()),
            }
        }
        match rendered {
            Ok(rendered) => filling.rendered = Some(rendered),
            // Inside a block or a partial: only rendering shows whether it is asked for.
            Err(RenderError::MissingField(field)) if !filling.missing.contains(&field) => {
                filling.absent.retain(|absent| *absent != field);
                filling.missing.push(field);
            }
            Err(RenderError::MissingField(_)) => {}
            Err(error) => filling.failed = Some(error.to_string()),
        }
        filling
    }
}

/// What filling in a template for one person came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// There unless something is missing, or it failed.
    pub rendered: Option<Rendered>,
    /// Known fields that the template names, with their values.
    pub used: BTreeMap<String, String>,
    /// Unknown fields for which a fallback is written.
    pub fallbacks: Vec<String>,
    /// Unknown fields without which nothing is sent.
    pub missing: Vec<String>,
    /// Unknown fields that the template can do without, such as those of an `if`.
    pub absent: Vec<String>,
    /// Why it cannot be written for another reason.
    pub failed: Option<String>,
}

const PARTIALS: &str = "partials/";

fn partial_name(source: &Source) -> Option<&str> {
    source.name.strip_prefix(PARTIALS)
}

// Templates are kept under names that no `{{> …}}` can write, so that only partials can be included.
fn body_key(name: &str) -> String {
    format!("{name} text")
}

fn subject_key(name: &str) -> String {
    format!("{name} subject")
}

fn preview_key(name: &str) -> String {
    format!("{name} preview")
}

fn template(file: &File, reaches: &BTreeMap<String, Reach>) -> Template {
    let included = file.uses.partials.iter().filter_map(|partial| reaches.get(partial));
    let partials = included.clone().flat_map(|reach| &reach.partials);
    let partials = file.uses.partials.iter().chain(partials).cloned().collect();
    let fallbacks = included.clone().flat_map(|reach| &reach.fallbacks);
    let fallbacks = file.uses.fallbacks.iter().chain(fallbacks).cloned().collect();
    let included = included.flat_map(|reach| &reach.fields);
    Template {
        fallbacks,
        name: file.name.clone(),
        path: file.path.clone(),
        has_subject: file.subject.is_some(),
        has_preview: file.preview.is_some(),
        needs: file.needs.clone(),
        language: file.language.clone(),
        gaps: file.uses.gaps.clone(),
        partials,
        least_characters: lint::least_characters(&file.body),
        fields: file.uses.fields.iter().chain(included).chain(&file.needs).cloned().collect(),
    }
}

#[cfg(test)]
mod tests;
