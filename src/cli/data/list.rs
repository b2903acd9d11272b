//! `dojo data list`, `dojo data stats`.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::table::{Align, table};
use super::{DataContext, filter};
use crate::domain::statistics::{Balance, Statistics};
use crate::domain::view::{SortDirection, SortField, SortOrder};
use crate::session::RecordRow;
use crate::ui::widgets::text;

/// Arguments of `dojo data list`.
#[derive(Args)]
pub(super) struct ListArguments {
    /// Which records: status:approved label:1 tokens>300 -tag:physics "broadcast domain" /regex/.
    filter: Vec<String>,
    /// By what they are sorted.
    #[arg(long, default_value = "id", value_parser = sort_field)]
    sort: SortField,
    /// Greatest first.
    #[arg(long)]
    falling: bool,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Begin after so many.
    #[arg(long, default_value_t = 0)]
    after: usize,
}

fn sort_field(name: &str) -> std::result::Result<SortField, String> {
    let known = || SortField::ALL.map(SortField::name).join(", ");
    SortField::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| format!("one of {}", known()))
}

pub(super) fn run(place: &DataContext, arguments: &ListArguments) -> Result<()> {
    let session = place.reader()?;
    let direction = if arguments.falling { SortDirection::Falling } else { SortDirection::Rising };
    let order = SortOrder { field: arguments.sort, direction };
    let view = session.view(&filter(&arguments.filter)?, order)?;
    let rows = view.rows(&session, arguments.after..arguments.after.saturating_add(arguments.limit))?;
    let json = json!({ "total": view.len(), "records": rows.iter().map(row_json).collect::<Vec<_>>() });
    let asks_for_tokens =
        arguments.sort == SortField::Tokens || arguments.filter.iter().any(|word| word.contains("tokens"));
    let uncounted = if asks_for_tokens { session.uncounted()?.len() } else { 0 };
    let people = || {
        let shown = rows.len();
        let mut out = table(&COLUMNS, &rows.iter().map(cells).collect::<Vec<_>>());
        let total = text::count(view.len() as u64);
        let below = match view.len() {
            0 => "no record matches".to_owned(),
            all if all == shown => format!("{total} records"),
            _ => format!("{shown} of {total} records; --limit and --after show others"),
        };
        out.push_str(&below);
        if uncounted > 0 {
            out += &format!(
                "\n{} records have no token count yet: `dojo data tokens` counts them",
                text::count(uncounted as u64)
            );
        }
        out
    };
    place.print(people, &json)?;
    Ok(())
}

const COLUMNS: [(&str, Align); 8] = [
    ("#", Align::Right),
    ("status", Align::Left),
    ("split", Align::Left),
    ("label", Align::Left),
    ("tokens", Align::Right),
    ("tags", Align::Left),
    ("prompt", Align::Left),
    ("answer", Align::Left),
];

fn cells(row: &RecordRow) -> Vec<String> {
    let dash = |name: &Option<String>| text::shorten(name.as_deref().unwrap_or("–"), 20);
    let record = &row.record;
    vec![
        row.id.to_string(),
        record.status.name().to_owned(),
        dash(&record.split),
        dash(&record.label),
        row.tokens.map_or_else(|| "–".to_owned(), |tokens| tokens.to_string()),
        record.tags.iter().cloned().collect::<Vec<_>>().join(", "),
        text::shorten(record.prompt(), 60),
        text::shorten(record.answer().unwrap_or_default(), 60),
    ]
}

/// A record with its number and what is known of it.
pub(super) fn row_json(row: &RecordRow) -> Value {
    let mut value = json!(row.record);
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), json!(row.id));
        object.insert("tokens".to_owned(), json!(row.tokens));
        object.insert("score".to_owned(), json!(row.score));
        object.insert("edited".to_owned(), json!(row.edited));
    }
    value
}

/// Arguments of `dojo data stats`.
#[derive(Args)]
pub(super) struct StatsArguments {
    /// Which records; all by default.
    filter: Vec<String>,
    /// The length in tokens at which training would cut.
    #[arg(long, default_value_t = 512)]
    max_length: u32,
}

pub(super) fn stats(place: &DataContext, arguments: &StatsArguments) -> Result<()> {
    if arguments.max_length == 0 {
        bail!("--max-length must be at least 1");
    }
    let session = place.reader()?;
    let statistics = session.statistics(&filter(&arguments.filter)?, Some(arguments.max_length))?;
    place.print(|| words(&statistics), &json!(statistics))?;
    Ok(())
}

fn words(statistics: &Statistics) -> String {
    let [new, approved, rejected] = statistics.statuses;
    let mut lines = vec![
        format!("records    {}", text::count(statistics.records)),
        format!("status     {new} new, {approved} approved, {rejected} rejected"),
        format!("splits     {}", balance(&statistics.splits)),
        format!("labels     {}", balance(&statistics.labels)),
        format!(
            "prompts    {} distinct of {}",
            text::count(statistics.distinct_prompts),
            text::count(statistics.records)
        ),
        format!("equal rows {}", text::count(statistics.equal_rows)),
        format!("characters {}", text::count(statistics.characters)),
    ];
    if let (Some(median), Some(longest)) = (statistics.median, statistics.longest) {
        lines.push(format!("tokens     median {median}, longest {longest}, {} counted", statistics.counted));
        if let (Some(limit), Some(over)) = (statistics.limit, statistics.over_limit) {
            let share = 100.0 * over as f64 / statistics.counted.max(1) as f64;
            let title = format!("over {limit}");
            lines.push(format!("{title:10} {over} ({share:.1}%)"));
        }
    }
    if statistics.counted < statistics.records {
        let left = text::count(statistics.records - statistics.counted);
        lines.push(format!("           {left} have no token count yet: `dojo data tokens` counts them"));
    }
    lines.join("\n")
}

fn balance(balance: &Balance) -> String {
    let named = balance.named.iter().take(8);
    let mut parts: Vec<String> = named
        .map(|(name, count)| {
            format!("{} {}", text::shorten(name.as_deref().unwrap_or("none"), 24), text::count(*count))
        })
        .collect();
    let left = balance.distinct.saturating_sub(parts.len() as u64);
    if left > 0 {
        parts.push(format!("{} others", text::count(left)));
    }
    parts.join(", ")
}
