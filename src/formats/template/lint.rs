//! Walks a parsed template and reports every name and construct that would fail, or do harm, at send time.

use crate::formats::rules::Rule;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use handlebars::Template;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};

use super::front_matter::Placed;
use super::helpers::{BLOCK_HELPERS, CONDITION_HELPERS, VALUE_HELPERS};
use super::place::Place;
use super::vocabulary::{ExtraFields, Verdict, judge};
use crate::formats::diagnostic::{Diagnostic, did_you_mean};

/// How deep blocks may nest; an `else if` counts as one level.
const MAX_DEPTH: usize = 20;

/// What a template is compared with.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub extra: &'a ExtraFields,
    pub partials: &'a BTreeSet<&'a str>,
}

/// The names that a piece of a template uses.
#[derive(Debug, Default, Clone)]
pub(super) struct Uses {
    pub fields: BTreeSet<String>,
    /// Fields that stand by themselves, outside of every block, with their place in the file: without
    /// a value nothing can be sent.
    pub gaps: BTreeMap<String, (usize, usize)>,
    /// The fields in front of a `default`: without one of them, its fallback is written.
    pub fallbacks: BTreeSet<String>,
    /// Once per inclusion.
    pub partials: Vec<String>,
}

impl Uses {
    /// Adds what another piece of the same file uses.
    pub(super) fn add(&mut self, other: Self) {
        self.fields.extend(other.fields);
        self.gaps.extend(other.gaps);
        self.fallbacks.extend(other.fallbacks);
        self.partials.extend(other.partials);
    }
}

/// Reports everything that is wrong with one parsed piece, and what it uses.
pub(super) fn lint(
    path: &str,
    piece: &Placed,
    parsed: &Template,
    known: Known<'_>,
) -> (Uses, Vec<Diagnostic>) {
    let mut lint = Lint { path, piece, known, uses: Uses::default(), findings: Vec::new() };
    lint.template(parsed, Place { line: 1, column: 1 }, 0);
    (lint.uses, lint.findings)
}

/// The finding about a field's name, if there is something to find.
pub(super) fn field_finding(
    path: &str,
    at: (usize, usize),
    name: &str,
    extra: &ExtraFields,
) -> Option<Diagnostic> {
    let meant = |name: Option<&str>| {
        name.map_or_else(String::new, |name| format!("; did you mean '{name}'?"))
    };
    match judge(name, extra) {
        Verdict::Known => None,
        Verdict::Unknown { suggestion } => {
            let message = format!("unknown field '{name}'{}", meant(suggestion.as_deref()));
            let finding = Diagnostic::error(Rule::T101, path, at, message);
            let own = judge(&format!("x.{name}"), extra) == Verdict::Known;
            let hint = || format!("if it is a column of your own list, write x.{name}");
            Some(if own { finding.with_hint(hint()) } else { finding })
        }
        Verdict::NoSuchColumn { suggestion } => {
            let suggestion = meant(suggestion.as_deref());
            let message = format!("no list has a column '{name}'{suggestion}");
            Some(Diagnostic::warning(Rule::T101, path, at, message))
        }
    }
}

struct Lint<'a> {
    path: &'a str,
    piece: &'a Placed,
    known: Known<'a>,
    uses: Uses,
    findings: Vec<Diagnostic>,
}

impl Lint<'_> {
    fn template(&mut self, template: &Template, outer: Place, depth: usize) {
        for (index, element) in template.elements.iter().enumerate() {
            // The parser keeps no place for an `else if`; its block's is the nearest.
            let place = template.mapping.get(index);
            let at = place.map_or(outer, |place| Place { line: place.0, column: place.1 });
            self.element(element, at, depth);
        }
    }

    fn element(&mut self, element: &TemplateElement, at: Place, depth: usize) {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) => self.expression(call, at, depth),
            TemplateElement::HelperBlock(block) => self.block(block, at, depth),
            TemplateElement::PartialExpression(partial) => self.partial(partial, at),
            TemplateElement::HtmlExpression(_) => {
                let hint = "write two braces; nothing is escaped in text";
                self.forbid(at, "three braces and `&` are not supported", hint);
            }
            _ => {
                let hint = "put the text into a file under templates/partials and include it with {{> name}}";
                self.forbid(
                    at,
                    "inline partials, partial blocks and decorators are not supported",
                    hint,
                );
            }
        }
    }

    fn expression(&mut self, call: &HelperTemplate, at: Place, depth: usize) {
        let Some(name) = call.name.as_name() else {
            let hint = "write the helper without brackets around it";
            return self.forbid(at, "a value cannot be computed like this", hint);
        };
        if !call.params.is_empty() || !call.hash.is_empty() {
            return self.value_call(name, call, at);
        }
        if is_helper(name) {
            let hint = format!("a list's column of that name is x.{name}");
            return self.report(
                Rule::T104,
                at,
                name,
                format!("helper '{name}' needs values"),
                hint,
            );
        }
        if depth == 0 {
            let place = self.piece.origin.of(self.locate(name, at));
            self.uses.gaps.entry(name.to_owned()).or_insert(place);
        }
        self.field(name, at);
    }

    /// `{{default a b}}`: a helper in the place of a value.
    fn value_call(&mut self, name: &str, call: &HelperTemplate, at: Place) {
        if let Some((_, count)) = VALUE_HELPERS.iter().find(|(helper, _)| *helper == name) {
            return self.arguments(name, call, count, at);
        }
        if BLOCK_HELPERS.contains(&name) || name == "eq" {
            let hint = match name {
                "eq" => "write {{#if (eq a b)}}…{{/if}}".to_owned(),
                _ => format!("write {{{{#{name} …}}}}…{{{{/{name}}}}}"),
            };
            return self.report(Rule::T104, at, name, format!("'{name}' is not a value"), hint);
        }
        self.unknown_helper(name, at);
    }

    /// `(eq a b)` as a parameter.
    fn subexpression(&mut self, element: &TemplateElement, at: Place) {
        let TemplateElement::Expression(call) = element else { return };
        let Some(name) = call.name.as_name() else {
            return self.forbid(at, "a helper's name cannot be computed", "write its name");
        };
        let mut helpers = VALUE_HELPERS.iter().chain(&CONDITION_HELPERS);
        match helpers.find(|(helper, _)| *helper == name) {
            Some((_, count)) => self.arguments(name, call, count, at),
            None => self.unknown_helper(name, at),
        }
    }

    fn block(&mut self, block: &HelperTemplate, at: Place, depth: usize) {
        let name = block.name.as_name().unwrap_or_default();
        if !BLOCK_HELPERS.contains(&name) {
            let hint =
                "blocks are {{#if field}}…{{else}}…{{/if}} and {{#unless field}}…{{/unless}}";
            return self.forbid(at, &format!("the block '{name}' is not supported"), hint);
        }
        if depth >= MAX_DEPTH {
            let message = format!("blocks nest deeper than {MAX_DEPTH} levels");
            return self.forbid(at, &message, "split the text into two templates");
        }
        if block.block_param.is_some() {
            let hint = "write the block without it";
            self.forbid(at, "`as |name|` is not supported", hint);
        }
        self.arguments(name, block, &(1..=1), at);
        for branch in [&block.template, &block.inverse].into_iter().flatten() {
            self.template(branch, at, depth + 1);
        }
    }

    fn arguments(
        &mut self,
        name: &str,
        call: &HelperTemplate,
        count: &RangeInclusive<usize>,
        at: Place,
    ) {
        if !call.hash.is_empty() || !count.contains(&call.params.len()) {
            let message = format!("helper '{name}' does not take these values");
            self.report(Rule::T104, at, name, message, usage(name));
        }
        if let ("default", Some(Parameter::Name(_) | Parameter::Path(_))) =
            (name, call.params.first())
        {
            let first = call.params.first().and_then(Parameter::as_name);
            self.uses.fallbacks.extend(first.map(str::to_owned));
        }
        for parameter in &call.params {
            match parameter {
                Parameter::Subexpression(inner) => self.subexpression(inner.as_element(), at),
                Parameter::Literal(_) => {}
                _ => self.field(parameter.as_name().unwrap_or_default(), at),
            }
        }
    }

    fn partial(&mut self, partial: &DecoratorTemplate, at: Place) {
        let Parameter::Name(name) = &partial.name else {
            let hint = "write the partial's name: {{> signature}}";
            return self.forbid(at, "a partial's name cannot be computed", hint);
        };
        if !partial.params.is_empty() || !partial.hash.is_empty() {
            let hint = "partials see the same fields as the template that includes them";
            self.forbid(at, "a partial takes no values", hint);
        }
        if self.known.partials.contains(name.as_str()) {
            return self.uses.partials.push(name.clone());
        }
        let plain = name.trim_matches(['\'', '"']).trim_start_matches("partials/");
        let meant = did_you_mean(plain, self.known.partials.iter().copied());
        let meant = meant.map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
        let at = self.piece.origin.of(at);
        let message = format!("unknown partial '{name}'{meant}");
        self.findings.push(Diagnostic::error(Rule::T102, self.path, at, message));
    }

    fn field(&mut self, name: &str, at: Place) {
        self.uses.fields.insert(name.to_owned());
        let place = self.piece.origin.of(self.locate(name, at));
        self.findings.extend(field_finding(self.path, place, name, self.known.extra));
    }

    fn unknown_helper(&mut self, name: &str, at: Place) {
        let helpers = VALUE_HELPERS.iter().chain(&CONDITION_HELPERS).map(|(helper, _)| *helper);
        let meant = did_you_mean(name, helpers.chain(BLOCK_HELPERS));
        let meant = meant.map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
        let hint =
            "helpers are default, eq, plural, date, if and unless; a field's name has no spaces";
        self.report(
            Rule::T104,
            at,
            name,
            format!("unknown helper '{name}'{meant}"),
            hint.to_owned(),
        );
    }

    fn report(&mut self, code: Rule, at: Place, name: &str, message: String, hint: String) {
        let at = self.piece.origin.of(self.locate(name, at));
        self.findings.push(Diagnostic::error(code, self.path, at, message).with_hint(hint));
    }

    fn forbid(&mut self, at: Place, message: &str, hint: &str) {
        let at = self.piece.origin.of(at);
        let finding = Diagnostic::error(Rule::T103, self.path, at, message.to_owned());
        self.findings.push(finding.with_hint(hint));
    }

    /// The place of a name in or behind the tag at a place; the tag's own place when it cannot be found.
    fn locate(&self, name: &str, tag: Place) -> Place {
        let text = &self.piece.text;
        let from = tag.offset(text);
        let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        let found = text[from..].match_indices(name).find(|(offset, _)| {
            let (before, after) = (&text[..from + offset], &text[from + offset + name.len()..]);
            !before.ends_with(part_of_name) && !after.starts_with(part_of_name)
        });
        found.map_or(tag, |(offset, _)| Place::at(text, from + offset))
    }
}

/// The characters that a template writes in any case, before any value is filled in.
pub(super) fn least_characters(template: &Template) -> usize {
    let least = |element: &TemplateElement| match element {
        TemplateElement::RawString(text) => text.trim_matches('\n').chars().count(),
        // A value has at least one character.
        TemplateElement::Expression(_) => 1,
        TemplateElement::HelperBlock(block) => {
            let branch = |branch: &Option<Template>| branch.as_ref().map_or(0, least_characters);
            branch(&block.template).min(branch(&block.inverse))
        }
        _ => 0,
    };
    template.elements.iter().map(least).sum()
}

fn is_helper(name: &str) -> bool {
    let mut helpers = VALUE_HELPERS.iter().chain(&CONDITION_HELPERS);
    BLOCK_HELPERS.contains(&name) || helpers.any(|(helper, _)| *helper == name)
}

fn usage(name: &str) -> String {
    let usage = match name {
        "date" => "write {{date today \"long\"}} or {{date today \"short\"}}",
        "default" => "write {{default first_name \"there\"}}",
        "eq" => "write {{#if (eq title \"CEO\")}}…{{/if}}",
        "plural" => "write {{plural employees \"person\" \"people\"}}",
        _ => "write {{#if field}}…{{/if}}",
    };
    usage.to_owned()
}
