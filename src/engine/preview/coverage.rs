//! A list held against templates: who can get what, and which fields are missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Basis, Seen, Someone, walk};
use crate::domain::cadence::{Content, Outcome, Step, Way, What};
use crate::domain::facts::Facts;
use crate::domain::ids::{BuyerRole, ProspectId, StepId};
use crate::domain::outlook::{Answer, OPEN, outlook};
use crate::domain::suppression::Subject;
use crate::engine::workspace::templates_of;
use crate::engine::{Engine, EngineError};
use crate::formats::diagnostic::Diagnostic;
use crate::formats::rules::Rule;
use crate::formats::template::{Filling, TemplateSet};

/// People that are read at a time.
const BATCH: usize = 500;

/// What a list comes to, template by template.
#[derive(Debug, Default)]
pub struct Coverage {
    pub list: String,
    pub people: usize,
    /// Those who would be let in; the rest is not counted below.
    pub let_in: usize,
    /// Why the others would not, each person under one reason.
    pub kept_out: BTreeMap<String, usize>,
    pub lines: Vec<Line>,
    pub splits: Vec<Split>,
}

/// One template in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// None when the template is looked at by itself.
    pub step: Option<String>,
    pub template: String,
    /// The step is certainly skipped for so many.
    pub skipped: usize,
    pub complete: usize,
    /// So many get a text in which a fallback stands for an unknown field.
    pub with_fallback: usize,
    /// So many cannot get it.
    pub without: usize,
    /// Unknown fields without which it is not sent, with people and whether `needs` names them.
    pub missing: BTreeMap<String, (usize, bool)>,
    pub fallbacks: BTreeMap<String, usize>,
    /// Other reasons why it cannot be written.
    pub failed: BTreeMap<String, usize>,
    /// Notes that LinkedIn would not take, by what it says of the longest.
    pub too_long: usize,
    pub longest: Option<String>,
    longest_length: usize,
}

/// Who takes part in the comparison of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub step: String,
    pub variants: Vec<(String, u32)>,
    /// Every variant can be written for them.
    pub in_test: usize,
    /// They get the one that they can get.
    pub not_in_test: usize,
    pub nothing: usize,
}

impl Engine {
    /// Holds a list against every template of a cadence, or against one.
    ///
    /// # Errors
    /// There is no such list, or the store failed.
    pub async fn coverage(
        &self,
        basis: &Basis,
        template: Option<&str>,
        list: &str,
    ) -> Result<Coverage, EngineError> {
        let Some(record) = self.store.list(list).await? else {
            return Err(self.no_list(list).await?);
        };
        let people = self.store.list_prospects(record.id).await?;
        let now = self.now();
        let mut coverage = Coverage::new(basis, template, list);
        for batch in people.chunks(BATCH) {
            for someone in self.everybody(batch).await? {
                coverage.add(basis, &someone, now);
            }
        }
        Ok(coverage)
    }

    async fn everybody(&self, ids: &[ProspectId]) -> Result<Vec<Someone>, EngineError> {
        let prospects = self.store.prospects(ids).await?;
        let subjects: Vec<Subject> = prospects.iter().flat_map(Subject::all_of).collect();
        let blocks = self.store.suppressions(&subjects).await?;
        let someone = |prospect| Someone {
            prospect,
            blocks: blocks.clone(),
            // Whoever is under way already still counts: the question is what is known of them.
            history: Vec::new(),
            is_sample: false,
        };
        Ok(prospects.into_iter().map(someone).collect())
    }
}

impl Coverage {
    fn new(basis: &Basis, template: Option<&str>, list: &str) -> Self {
        let mut coverage = Self { list: list.to_owned(), ..Self::default() };
        if let Some(template) = template {
            coverage.lines.push(Line { template: template.to_owned(), ..Line::default() });
            return coverage;
        }
        for step in &basis.cadence().steps {
            let line =
                |template| Line { step: Some(step.id.0.clone()), template, ..Line::default() };
            coverage.lines.extend(templates_of(&step.what).into_iter().map(line));
            if let What::Email { content: Content::Split(variants), .. } = &step.what {
                let (step, variants) = (step.id.0.clone(), variants.clone());
                let split = Split { step, variants, in_test: 0, not_in_test: 0, nothing: 0 };
                coverage.splits.push(split);
            }
        }
        coverage
    }

    /// Takes one more person in.
    fn add(&mut self, basis: &Basis, someone: &Someone, now: Timestamp) {
        self.people += 1;
        let seen = basis.see(someone, now);
        if let Some(reason) = seen.obstacles.into_iter().next() {
            *self.kept_out.entry(reason).or_default() += 1;
            return;
        }
        let mut seen = Seen { obstacles: Vec::new(), ..seen };
        self.let_in += 1;
        let facts = Facts::of(&seen.person.prospect);
        for line in &mut self.lines {
            let id = line.step.as_ref().map(|id| StepId::from(id.as_str()));
            let found = id.and_then(|id| basis.cadence().step(&id));
            let step = found.map(|(_, step)| step);
            if step.is_some_and(|step| is_skipped(step, &facts, &seen) || !is_for(step, &seen)) {
                line.skipped += 1;
                continue;
            }
            // What the tasks above ask for is known by then.
            let above = basis.cadence().steps.iter().take(found.map_or(0, |(at, _)| at));
            above.for_each(|step| seen.person.find_out(step));
            let filling = seen.fill(&basis.settings, &line.template, now);
            let needs = basis.templates().get(&line.template).map(|template| &template.needs);
            line.add(&filling, needs.map_or(&[], Vec::as_slice), step);
        }
        for split in &mut self.splits {
            split.add(basis, &seen, &facts, now);
        }
    }
}

/// Whether a step certainly never happens, whatever comes of the ones above.
fn is_skipped(step: &Step, facts: &Facts, seen: &Seen) -> bool {
    outlook(step, facts, &seen.person.closed, &AllOpen).answer == Answer::No
}

/// Whether a step is for people of this role, at an account.
fn is_for(step: &Step, seen: &Seen) -> bool {
    let roles = seen.person.version.cadence.unit.roles();
    let has_role = |role: &BuyerRole| {
        let profile = seen.profile.as_ref().map(|profile| &profile.id);
        roles.iter().any(|(known, of)| known == role && Some(of) == profile)
    };
    step.to.is_empty() || step.to.iter().any(has_role)
}

/// Nothing is known of the steps above.
struct AllOpen;

impl Way for AllOpen {
    fn outcome_of(&self, _step: &StepId) -> Option<Outcome> {
        Some(Outcome::from(OPEN))
    }

    fn has_happened(&self, _event: &str) -> bool {
        false
    }
}

impl Line {
    /// Everybody who gets it, with or without a fallback.
    pub fn can(&self) -> usize {
        self.complete + self.with_fallback
    }

    /// Everybody to whom the step applies.
    pub fn asked(&self) -> usize {
        self.complete + self.with_fallback + self.without
    }

    fn add(&mut self, filling: &Filling, needs: &[String], step: Option<&Step>) {
        for field in &filling.missing {
            let (count, is_needed) = self.missing.entry(field.clone()).or_default();
            (*count, *is_needed) = (*count + 1, needs.contains(field));
        }
        if let Some(why) = &filling.failed {
            *self.failed.entry(why.clone()).or_default() += 1;
        }
        let Some(rendered) = &filling.rendered else {
            self.without += 1;
            return;
        };
        for field in &filling.fallbacks {
            *self.fallbacks.entry(field.clone()).or_default() += 1;
        }
        match filling.fallbacks.is_empty() {
            true => self.complete += 1,
            false => self.with_fallback += 1,
        }
        let length = rendered.text.trim().chars().count();
        if let Some(why) = step.and_then(|step| walk::too_long(&step.what, length)) {
            self.too_long += 1;
            if length > self.longest_length {
                (self.longest_length, self.longest) = (length, Some(why));
            }
        }
    }
}

impl Split {
    fn add(&mut self, basis: &Basis, seen: &Seen, facts: &Facts, now: Timestamp) {
        let step = basis.cadence().step(&StepId::from(self.step.as_str())).map(|(_, step)| step);
        if step.is_none_or(|step| is_skipped(step, facts, seen)) {
            return;
        }
        let can = |name: &str| seen.fill(&basis.settings, name, now).rendered.is_some();
        match self.variants.iter().filter(|(name, _)| can(name)).count() {
            0 => self.nothing += 1,
            all if all == self.variants.len() => self.in_test += 1,
            _ => self.not_in_test += 1,
        }
    }
}

/// What `check` says of a list: templates that people of it cannot get, each told once with the
/// cadence in which most lack it.
pub fn findings(coverages: &[(String, Coverage)], templates: &TemplateSet) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    for (cadence, coverage) in coverages {
        for line in &coverage.lines {
            let Some(template) = templates.get(&line.template) else { continue };
            let of = format!("of {} people on `{}` for {cadence}", line.asked(), coverage.list);
            for (field, (people, _)) in &line.missing {
                if !told.insert((line.template.clone(), field.clone())) {
                    continue;
                }
                let place = template.gaps.get(field).copied().unwrap_or((0, 0));
                let message = format!("{people} {of} have no `{field}` and would not get this");
                let hint = format!(
                    "fill in the column, write {{{{default {field} \"\u{2026}\"}}}}, or see \
                     `firsttouch preview {cadence} --coverage --list {}`",
                    coverage.list
                );
                let finding = Diagnostic::warning(Rule::T107, &template.path, place, message);
                findings.push(finding.with_hint(hint));
            }
            if let Some(longest) = &line.longest
                && told.insert((line.template.clone(), String::new()))
            {
                let message = format!("too long for {} {of}: {longest}", line.too_long);
                findings.push(Diagnostic::warning(Rule::C503, &template.path, (0, 0), message));
            }
        }
    }
    findings
}
