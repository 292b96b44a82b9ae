//! What can be typed of a follower's terms, and of a channel's writers.

use clap::Args;
use serde_json::{Value, json};

use crate::show;

/// What is wanted of a channel, and when. Without any of these the terms are shown.
#[derive(Debug, Args)]
pub struct TermsArgs {
    /// Channel id, the beginning of it, or its name
    pub channel: String,
    /// Want everything, at once
    #[arg(long)]
    pub all: bool,
    /// Only posts of this category; may be given again
    #[arg(long = "category", value_name = "ID")]
    pub categories: Vec<String>,
    /// No advertising
    #[arg(long)]
    pub no_advertising: bool,
    /// Nothing in these hours: 22:00-07:00, or sat,sun@22:00-10:00; may be given again
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    pub quiet: Vec<Value>,
    /// Only in these hours: 09:00-18:00, or mon,fri@09:00-12:00; may be given again
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    pub window: Vec<Value>,
    /// At most so many posts a day; 0 for a digest that you open yourself
    #[arg(long, value_name = "N")]
    pub cap: Option<u16>,
    /// A place that matters: latitude, longitude and kilometres around it, as 37.5665,126.978,10; may be given again
    #[arg(long = "place", value_name = "PLACE", value_parser = place, allow_hyphen_values = true)]
    pub places: Vec<Value>,
    /// What the channel calls urgent comes at any hour
    #[arg(long)]
    pub urgent: bool,
    /// Time zone of the hours, as Asia/Seoul [default: that of the node's machine]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
}

impl TermsArgs {
    /// What is to be set; nothing if the terms are only to be shown.
    pub fn terms(&self) -> Option<Value> {
        let mut terms = json!({
            "advertising": !self.no_advertising,
            "quiet": self.quiet,
            "window": self.window,
            "daily_cap": self.cap,
            "places": self.places,
            "urgent": self.urgent,
            "zone": self.zone,
        });
        if let Some(terms) = terms.as_object_mut().filter(|_| !self.categories.is_empty()) {
            terms.insert("categories".to_owned(), json!(self.categories));
        }
        let some = self.no_advertising || self.urgent || self.cap.is_some() || self.zone.is_some();
        let lists = [&self.quiet, &self.window, &self.places];
        let given = some || !self.categories.is_empty() || lists.iter().any(|list| !list.is_empty());
        (self.all || given).then_some(terms)
    }
}

/// Terms as they are typed.
pub fn flags(terms: &Value) -> String {
    let mut said: Vec<String> = Vec::new();
    let list = |name: &str| show::items_of(terms, name);
    if let Some(chosen) = terms.get("categories").and_then(Value::as_array) {
        let chosen = chosen.iter().filter_map(Value::as_str);
        said.extend(chosen.map(|category| format!("--category {category}")));
    }
    if !terms.get("advertising").is_none_or(|wanted| wanted == true) {
        said.push("--no-advertising".to_owned());
    }
    for name in ["quiet", "window"] {
        for hours in list(name) {
            let days = show::items_of(hours, "days").iter().filter_map(Value::as_str);
            let days: Vec<&str> = days.collect();
            let at = if days.is_empty() { "" } else { "@" };
            let (from, to) = (show::text_of(hours, "from"), show::text_of(hours, "to"));
            said.push(format!("--{name} {}{at}{from}-{to}", days.join(",")));
        }
    }
    said.extend(
        terms
            .get("daily_cap")
            .filter(|cap| cap.is_u64())
            .map(|cap| format!("--cap {cap}")),
    );
    for place in list("places") {
        let degrees = |name: &str| place.get(name).and_then(Value::as_f64).unwrap_or_default() / 1e6;
        let km = show::number(place, "radius_m") as f64 / 1e3;
        said.push(format!(
            "--place {},{},{km}",
            degrees("latitude_e6"),
            degrees("longitude_e6")
        ));
    }
    if show::flag(terms, "urgent") {
        said.push("--urgent".to_owned());
    }
    let zone = terms.get("zone").and_then(Value::as_str);
    said.extend(zone.map(|zone| format!("--zone {zone}")));
    if said.is_empty() {
        "--all".to_owned()
    } else {
        said.join(" ")
    }
}

/// Reads `22:00-07:00` or `sat,sun@22:00-07:00`.
fn hours(text: &str) -> Result<Value, String> {
    const SHAPE: &str = "must be as 22:00-07:00 or sat,sun@22:00-07:00";
    let (days, times) = match text.split_once('@') {
        Some((days, times)) => (Some(days), times),
        None => (None, text),
    };
    let (from, to) = times.split_once('-').ok_or(SHAPE)?;
    let mut hours = json!({ "from": from, "to": to });
    if let Some(days) = days {
        let known = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let days: Vec<&str> = days.split(',').collect();
        if !days.iter().all(|day| known.contains(day)) {
            return Err(format!("{SHAPE}; days are {}", known.join(", ")));
        }
        if let Some(hours) = hours.as_object_mut() {
            hours.insert("days".to_owned(), json!(days));
        }
    }
    Ok(hours)
}

/// Reads `37.5665,126.978,10`.
fn place(text: &str) -> Result<Value, String> {
    const SHAPE: &str = "must be latitude, longitude and kilometres, as 37.5665,126.978,10";
    let mut numbers = text.split(',').map(|part| part.trim().parse::<f64>().ok());
    let mut next = |most: f64| {
        let number = numbers.next().flatten().filter(|number| number.abs() <= most);
        number.ok_or(SHAPE)
    };
    let (latitude, longitude, km) = (next(90.0)?, next(180.0)?, next(20_100.0)?);
    if km < 0.0 || numbers.next().is_some() {
        return Err(SHAPE.to_owned());
    }
    // Both are within what they are rounded to.
    let whole = |number: f64| number.round() as i64;
    Ok(json!({
        "latitude_e6": whole(latitude * 1e6),
        "longitude_e6": whole(longitude * 1e6),
        "radius_m": whole(km * 1e3),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_shown_as_they_are_typed() {
        let terms = json!({
            "categories": ["bread"], "advertising": false, "urgent": true, "daily_cap": 3, "zone": "Asia/Seoul",
            "quiet": [hours("sat,sun@22:00-07:00").unwrap()], "places": [place("-37.5,126.978,0.5").unwrap()],
        });
        assert_eq!(
            flags(&terms),
            "--category bread --no-advertising --quiet sat,sun@22:00-07:00 --cap 3 --place -37.5,126.978,0.5 --urgent \
             --zone Asia/Seoul"
        );
        assert_eq!(flags(&json!({ "advertising": true, "urgent": false })), "--all");
    }

    #[test]
    fn hours_and_places_are_read_as_they_are_said() {
        assert_eq!(hours("22:00-07:00").unwrap(), json!({ "from": "22:00", "to": "07:00" }));
        assert_eq!(
            hours("sat,sun@10:00-11:30").unwrap(),
            json!({ "from": "10:00", "to": "11:30", "days": ["sat", "sun"] })
        );
        assert!(hours("saturday@10:00-11:30").is_err() && hours("10:00").is_err());
        assert_eq!(
            place("-37.5665, 126.978, 0.5").unwrap(),
            json!({ "latitude_e6": -37_566_500, "longitude_e6": 126_978_000, "radius_m": 500 })
        );
        for wrong in [
            "", "1,2", "1,2,3,4", "91,0,1", "0,181,1", "0,0,-1", "NaN,0,1", "0,0,1e9",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
