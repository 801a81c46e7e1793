//! The helpers that templates may use beside `if` and `unless`: `default`, `eq`, `plural`, `date`.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, Output, PathAndJson,
    RenderContext, RenderError, RenderErrorReason, ScopedJson, no_escape,
};
use serde_json::Value;

/// Which helpers stand in a value's place (`{{date today "long"}}`), and how many values they take.
pub(super) const VALUE_HELPERS: [(&str, std::ops::RangeInclusive<usize>); 3] =
    [("date", 2..=2), ("default", 2..=10), ("plural", 3..=3)];
/// Which helpers stand as a condition only: `{{#if (eq a b)}}`.
pub(super) const CONDITION_HELPERS: [(&str, std::ops::RangeInclusive<usize>); 1] = [("eq", 2..=2)];
/// Which helpers stand around a text: `{{#if trigger}}…{{/if}}`.
pub(super) const BLOCK_HELPERS: [&str; 2] = ["if", "unless"];

/// Where `date` finds the language of the mail; not a name that a template could write.
pub(super) const LANGUAGE_KEY: &str = " language";

/// A strict registry without escaping that knows our helpers and no others.
pub(super) fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(no_escape);
    let built_in = [
        "each", "with", "lookup", "raw", "log", "ne", "gt", "gte", "lt", "lte", "and", "or", "not",
        "len",
    ];
    for name in built_in {
        registry.unregister_helper(name);
    }
    registry.register_helper("default", Box::new(Computed(default)));
    registry.register_helper("eq", Box::new(Computed(eq)));
    registry.register_helper("plural", Box::new(Computed(plural)));
    registry.register_helper("date", Box::new(Computed(date)));
    registry
}

/// A helper that computes one value; `None` is a missing one, named after the first parameter.
struct Computed(fn(&Helper<'_>, &Context) -> Result<Option<Value>, RenderError>);

impl HelperDef for Computed {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let Self(compute) = self;
        Ok(compute(helper, context)?.map_or(ScopedJson::Missing, ScopedJson::Derived))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Self(compute) = self;
        let Some(value) = compute(helper, context)? else {
            return Err(RenderError::strict_error(first_path(helper)));
        };
        Written(value).call(helper, registry, context, render, out)
    }
}

/// Writes a value the way the library does, indentation included.
struct Written(Value);

impl HelperDef for Written {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok(ScopedJson::Derived(self.0.clone()))
    }
}

/// The first name among the parameters.
fn first_path<'a>(helper: &'a Helper<'_>) -> Option<&'a String> {
    helper.params().iter().find_map(PathAndJson::relative_path)
}

/// `default a b …`: the first that is known.
fn default(helper: &Helper<'_>, _: &Context) -> Result<Option<Value>, RenderError> {
    let known = helper.params().iter().find(|param| known(param).is_some());
    Ok(known.map(|param| param.value().clone()))
}

/// `eq a b`: the same text, whatever its case, as in a cadence's `field:`. An unknown field equals nothing.
fn eq(helper: &Helper<'_>, _: &Context) -> Result<Option<Value>, RenderError> {
    let mut params = helper.params().iter().map(known);
    let pair = (params.next().flatten(), params.next().flatten());
    let (Some(left), Some(right)) = pair else { return Ok(Some(Value::Bool(false))) };
    Ok(Some(Value::Bool(left.to_lowercase() == right.to_lowercase())))
}

/// `plural n "seat" "seats"`: the word for so many.
fn plural(helper: &Helper<'_>, _: &Context) -> Result<Option<Value>, RenderError> {
    let Some(count) = helper.param(0).and_then(known) else { return Ok(None) };
    let number = count.parse::<f64>();
    let number = number.map_err(|_| other(format!("`{count}` is not a number of things")))?;
    let word = if number == 1.0 { helper.param(1) } else { helper.param(2) };
    Ok(word.map(|word| word.value().clone()))
}

/// `date d "long"`: 2 March 2026; `"short"`: 2 Mar.
fn date(helper: &Helper<'_>, context: &Context) -> Result<Option<Value>, RenderError> {
    let Some(text) = helper.param(0).and_then(known) else { return Ok(None) };
    let language = context.data().get(LANGUAGE_KEY).and_then(Value::as_str).unwrap_or("en");
    // A date in the wrong language is worse than a task that says so.
    if language != "en" && !language.starts_with("en-") {
        return Err(other(format!("dates cannot be written in `{language}` yet, only in `en`")));
    }
    let day: jiff::civil::Date =
        text.parse().map_err(|_| other(format!("`{text}` is not a date like 2026-03-02")))?;
    let format = match helper.param(1).and_then(known).as_deref() {
        Some("long") => "%-d %B %Y",
        _ => "%-d %b",
    };
    Ok(Some(Value::String(day.strftime(format).to_string())))
}

/// The value as text, unless it is missing or blank.
fn known(param: &PathAndJson<'_>) -> Option<String> {
    let text = param.value().render();
    (!param.is_value_missing() && !text.trim().is_empty()).then_some(text)
}

fn other(message: String) -> RenderError {
    RenderErrorReason::Other(message).into()
}
