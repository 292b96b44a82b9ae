//! What a run found: rows, printed as a table or as JSON.

use serde_json::{Value, json};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Times, bytes, shares.
    Lower,
    /// Rates.
    Higher,
}

/// Values of repeated measurements, in one unit.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Takes the values, in any order.
    #[must_use]
    pub fn new(mut values: Vec<f64>) -> Self {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Returns the value below which a share of all lies; not a number without values.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// Returns the median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Returns the smallest value.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    /// Returns the largest value.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.quantile(1.0)
    }

    /// Returns how many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn json(&self) -> Value {
        json!({ "min": self.min(), "median": self.median(), "max": self.max(), "runs": self.len() })
    }
}

/// What the machine can do at best, measured in the same run.
#[derive(Clone, Debug)]
pub struct Floor {
    /// What it is.
    pub what: String,
    /// Its values, in the row's unit.
    pub values: Sample,
}

/// What a row must keep to.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The bound, in the row's unit.
    pub limit: f64,
    /// On which side of it to be.
    pub better: Better,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is measured.
    pub what: String,
    /// The unit of all its values.
    pub unit: &'static str,
    /// Our values, one for each run; empty if it can't be measured here.
    pub ours: Sample,
    /// The floor.
    pub floor: Option<Floor>,
    /// The budget.
    pub budget: Option<Budget>,
    /// What a reader must know beside the figures.
    pub note: String,
}

impl Row {
    /// Makes a row without floor and budget.
    #[must_use]
    pub fn new(what: impl Into<String>, unit: &'static str, ours: Vec<f64>) -> Self {
        Self {
            what: what.into(),
            unit,
            ours: Sample::new(ours),
            floor: None,
            budget: None,
            note: String::new(),
        }
    }

    /// Sets the floor.
    #[must_use]
    pub fn floor(mut self, what: impl Into<String>, values: Vec<f64>) -> Self {
        self.floor = Some(Floor {
            what: what.into(),
            values: Sample::new(values),
        });
        self
    }

    /// Sets a budget that is an upper bound.
    #[must_use]
    pub fn at_most(mut self, limit: f64) -> Self {
        self.budget = Some(Budget {
            limit,
            better: Better::Lower,
        });
        self
    }

    /// Sets a budget that is a lower bound.
    #[must_use]
    pub fn at_least(mut self, limit: f64) -> Self {
        self.budget = Some(Budget {
            limit,
            better: Better::Higher,
        });
        self
    }

    /// Sets the note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Returns our median over the floor's.
    fn ratio(&self) -> Option<f64> {
        let floor = self.floor.as_ref()?.values.median();
        let ratio = self.ours.median() / floor;
        ratio.is_finite().then_some(ratio)
    }

    /// Says whether the median keeps to the budget, if there is one and a figure.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let budget = self.budget?;
        let ours = self.ours.median();
        (!self.ours.is_empty()).then_some(match budget.better {
            Better::Lower => ours <= budget.limit,
            Better::Higher => ours >= budget.limit,
        })
    }

    fn budget_text(&self) -> String {
        let sign = |budget: Budget| match budget.better {
            Better::Lower => '≤',
            Better::Higher => '≥',
        };
        self.budget.map_or_else(String::new, |budget| {
            format!("{} {}", sign(budget), figure(budget.limit))
        })
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what, "unit": self.unit, "ours": self.ours.json(),
            "floor": self.floor.as_ref().map(|floor| json!({ "what": floor.what, "values": floor.values.json() })),
            "ratio": self.ratio(),
            "budget": self.budget.map(|budget| json!({ "limit": budget.limit, "better": match budget.better {
                Better::Lower => "lower",
                Better::Higher => "higher",
            }})),
            "met": self.met(), "note": self.note,
        })
    }
}

/// Returns all rows as one JSON document.
#[must_use]
pub fn json(scale: &str, rows: &[Row]) -> Value {
    json!({ "scale": scale, "rows": rows.iter().map(Row::json).collect::<Vec<_>>() })
}

/// Returns all rows as one table.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let head = [
        "what",
        "unit",
        "min",
        "median",
        "max",
        "floor",
        "ratio",
        "budget",
        "",
        "floor is; note",
    ];
    let mut cells: Vec<[String; 10]> = vec![head.map(str::to_owned)];
    for row in rows {
        let floor = row.floor.as_ref();
        let told = [floor.map_or("", |floor| &floor.what), &row.note];
        cells.push([
            row.what.clone(),
            row.unit.to_owned(),
            figure(row.ours.min()),
            figure(row.ours.median()),
            figure(row.ours.max()),
            floor.map_or_else(String::new, |floor| figure(floor.values.median())),
            row.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            row.budget_text(),
            row.met()
                .map_or("", |met| if met { "met" } else { "MISSED" })
                .to_owned(),
            told.into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        ]);
    }
    let widths: [usize; 10] =
        std::array::from_fn(|at| cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in cells {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            let right = (2..=6).contains(&at);
            let (left, right) = if right {
                (space, String::new())
            } else {
                (String::new(), space)
            };
            for part in [left.as_str(), cell, right.as_str(), "  "] {
                line.push_str(part);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number as people read it: three digits that matter.
fn figure(value: f64) -> String {
    let size = value.abs();
    match value {
        _ if !value.is_finite() => "–".to_owned(),
        _ if size >= 100.0 => format!("{value:.0}"),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_met_by_its_median() {
        let row = Row::new("x", "ms", vec![3.0, 1.0, 2.0]);
        assert_eq!(row.clone().at_most(2.0).met(), Some(true));
        assert_eq!(row.clone().at_least(2.5).met(), Some(false));
        assert_eq!(row.met(), None);
        assert_eq!(Row::new("x", "ms", vec![]).at_most(1.0).met(), None);
    }

    #[test]
    fn the_table_shows_what_is_missed() {
        let rows = [Row::new("speed", "/s", vec![10.0])
            .at_least(20.0)
            .floor("bare", vec![40.0])];
        let table = table(&rows);
        assert!(table.contains("MISSED") && table.contains("0.25") && table.contains("bare"));
        assert_eq!(json("tiny", &rows)["rows"][0]["met"], false);
    }
}
