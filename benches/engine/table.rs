//! The numbers as people and programs read them.

use serde_json::{Value, json};

/// A number, what it stands beside, and what was aimed at.
pub struct Line {
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    /// What the same machine did without our work in the same run.
    pub ceiling: Option<f64>,
    /// What was aimed at, and whether it was reached.
    pub target: Option<(&'static str, bool)>,
}

/// Everything that was measured, database by database.
#[derive(Default)]
pub struct Table {
    pub database: &'static str,
    lines: Vec<(&'static str, Line)>,
}

impl Table {
    /// Takes a line, and says it at once: the whole takes minutes.
    pub fn add(&mut self, line: Line) {
        println!("{:<10} {}", self.database, words(&line));
        self.lines.push((self.database, line));
    }

    /// Something that is no number to compare.
    pub fn note(&self, text: &str) {
        println!("{:<10} {text}", self.database);
    }

    pub fn print(&self) {
        println!("\n{:<10} {:<46} {:>12}", "database", "what", "number");
        for (database, line) in &self.lines {
            println!("{database:<10} {}", words(line));
        }
    }

    pub fn json(&self) -> String {
        let line = |(database, line): &(&str, Line)| -> Value {
            json!({
                "database": database, "what": line.what, "value": line.value, "unit": line.unit,
                "ceiling": line.ceiling, "ratio": line.ceiling.map(|ceiling| line.value / ceiling),
                "target": line.target.map(|(target, _)| target),
                "met": line.target.map(|(_, met)| met),
            })
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        format!("{:#}\n", Value::Array(lines))
    }
}

fn words(line: &Line) -> String {
    let Line { what, value, unit, .. } = line;
    let mut text = format!("{what:<48} {value:>12.1} {unit:<10}");
    if let Some(ceiling) = line.ceiling {
        text.push_str(&format!(" of {ceiling:>9.1}: {:.2} x", value / ceiling));
    }
    if let Some((target, met)) = line.target {
        text.push_str(&format!("  {} {target}", if met { "meets" } else { "MISSES" }));
    }
    text
}

/// A count as a share of something.
#[allow(clippy::cast_precision_loss, reason = "numbers for people")]
pub fn float(n: i64) -> f64 {
    n as f64
}
