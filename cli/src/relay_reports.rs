//! `madang relay reports`: what was reported to a relay's operator.

use std::path::{Path, PathBuf};

use madang_node::RelayReport;
use serde_json::{Value, json};

use crate::args::ReportsTool;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::{REPORT, not_found, resolve};
use crate::safe;
use crate::show;

/// Letters of a post that a list shows.
const SHOWN: usize = 60;

pub(super) fn tool(tool: ReportsTool, data: &Path, out: &Out) -> Result<(), Fault> {
    match tool {
        ReportsTool::List => list(data, out),
        ReportsTool::Show { post, to } => show_one(data, &post, to, out),
        ReportsTool::Dismiss { post } => dismiss(data, &post, out),
    }
}

fn list(data: &Path, out: &Out) -> Result<(), Fault> {
    let reports = madang_node::relay_reports(data)?;
    let items: Vec<Value> = reports.iter().map(shown).collect();
    out.print(&json!({ "items": items }), || {
        if reports.is_empty() {
            return out.t().no_reports.to_owned();
        }
        let row = |report: &RelayReport| {
            let says: String = report.texts().pop().unwrap_or_default().chars().take(SHOWN).collect();
            vec![
                show::short(&report.post),
                show::short(&report.channel),
                (out.t().reported_times)(report.count),
                reasons(report),
                safe::line(&says),
            ]
        };
        out.table(&reports.iter().map(row).collect::<Vec<_>>())
    })
}

fn show_one(data: &Path, post: &str, to: Option<PathBuf>, out: &Out) -> Result<(), Fault> {
    let report = find(data, post)?;
    let mut document = shown(&report);
    let mut written = Vec::new();
    if let Some(folder) = &to {
        let fault = |path: &Path, error: &std::io::Error| Fault::file(|t| t.to_write, path, error);
        std::fs::create_dir_all(folder).map_err(|error| fault(folder, &error))?;
        for (envelope, number) in report.envelopes.iter().zip(1..) {
            let path = folder.join(format!("{}-{number}.txt", show::short(&report.post)));
            std::fs::write(&path, format!("{envelope}\n")).map_err(|error| fault(&path, &error))?;
            written.push(path.display().to_string());
        }
    }
    if let Some(fields) = document.as_object_mut() {
        fields.insert("envelopes".to_owned(), json!(report.envelopes));
        fields.insert("written".to_owned(), json!(written));
    }
    let now = show::now_ms();
    out.print(&document, || {
        let t = out.t();
        let time = |member: &str| show::time_of(&document, member, now);
        let mut rows = vec![
            vec![t.label_post.to_owned(), report.post.clone()],
            vec![t.label_channel.to_owned(), report.channel.clone()],
            vec![
                (t.reported_times)(report.count),
                format!("{} – {}", time("first_ms"), time("last_ms")),
            ],
            vec![t.label_reasons.to_owned(), reasons(&report)],
        ];
        let says = report.texts().into_iter();
        rows.extend(says.map(|text| vec![t.label_says.to_owned(), safe::line(&text)]));
        let notes = report.notes.iter();
        rows.extend(notes.map(|note| vec![note.reason.clone(), safe::line(&note.text)]));
        rows.extend(
            written
                .iter()
                .map(|path| vec![t.label_written.to_owned(), path.clone()]),
        );
        out.table(&rows)
    })
}

fn dismiss(data: &Path, post: &str, out: &Out) -> Result<(), Fault> {
    let report = find(data, post)?;
    if !madang_node::dismiss_relay_report(data, &report.post)? {
        return Err(not_found(REPORT, post));
    }
    out.print(&json!({ "post": report.post }), || {
        (out.t().report_dismissed)(&show::short(&report.post))
    })
}

/// The report of a post, which may be given by its beginning.
fn find(data: &Path, post: &str) -> Result<RelayReport, Fault> {
    let reports = madang_node::relay_reports(data)?;
    let items: Vec<Value> = reports.iter().map(shown).collect();
    let found = show::text_of(resolve(REPORT, post, &items)?, "post").to_owned();
    let report = reports.into_iter().find(|report| report.post == found);
    report.ok_or_else(|| not_found(REPORT, post))
}

fn reasons(report: &RelayReport) -> String {
    let reasons = report
        .reasons
        .iter()
        .map(|(reason, count)| format!("{reason}: {count}"));
    safe::line(&reasons.collect::<Vec<_>>().join(", "))
}

fn shown(report: &RelayReport) -> Value {
    let notes = report.notes.iter();
    let notes: Vec<Value> = notes
        .map(|note| json!({ "at_ms": note.at_s * 1000, "reason": note.reason, "text": note.text }))
        .collect();
    json!({
        "post": report.post,
        "channel": report.channel,
        "first_ms": report.first_s * 1000,
        "last_ms": report.last_s * 1000,
        "count": report.count,
        "reasons": report.reasons,
        "notes": notes,
        "texts": report.texts(),
    })
}
