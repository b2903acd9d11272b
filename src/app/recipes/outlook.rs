//! What a run by a recipe would meet before its first step, said before one is started.

use std::path::Path;

use anyhow::Result;

use super::{learnt_of, no_pairs, pairs as are_pairs};
use crate::app::records::words::in_recipe;
use crate::app::review::sets;
use crate::app::train::{pairs, recipe};
use crate::config::Folders;
use crate::data::split::Use;
use crate::data::{encode, glance};
use crate::domain::filter::{Filter, Property};
use crate::domain::name::one_line;
use crate::domain::protocol::models::RETRIEVAL_ONLY;
use crate::domain::recipe::DataPart;
use crate::domain::recipe::source::{self, ExampleSource};
use crate::domain::view::SortOrder;
use crate::engine::hub;
use crate::engine::hub::embeds_only;
use crate::session::{Access, Session, View};

/// Records that are looked at one by one for one that can be trained on, and how many of them at once.
const LOOKED: usize = 20_000;
const STRETCH: usize = 64;

/// What a run by a recipe would meet before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    /// Why no run can start by the recipe as it is on the disk; nothing when one can, or when its text is wrong.
    pub missing: Option<String>,
    /// The model that a run fetches before anything else; nothing when it is here.
    pub fetches: Option<String>,
}

impl Outlook {
    /// Looks at the recipe, its model and the heads of its data.
    #[must_use]
    pub fn of(folders: &Folders, path: &Path) -> Self {
        let Ok(recipe) = recipe::load(path, &[]) else { return Self::default() };
        match hub::find(&folders.models(), &recipe.model.base) {
            Err(error) => {
                let why = one_line(&format!("{error:#}"));
                Self { missing: Some(format!("{why}; press 6 for the models there are")), fetches: None }
            }
            Ok(files) if embeds_only(&recipe.model.base, files.as_ref()) => Self {
                missing: Some(format!(
                    "{} is {RETRIEVAL_ONLY}: it turns texts into vectors and can't be trained to answer; press 6 for \
                     the models there are",
                    recipe.model.base
                )),
                fetches: None,
            },
            Ok(files) => Self {
                missing: missing_adapter(recipe.model.adapter.as_deref())
                    .or_else(|| missing_data(folders, &recipe.data).map(|why| in_recipe(&why))),
                fetches: files.is_none().then_some(recipe.model.base),
            },
        }
    }
}

/// The adapter that a run begins with.
fn missing_adapter(named: Option<&str>) -> Option<String> {
    let folder = named.filter(|folder| !Path::new(folder).is_dir())?;
    Some(format!(
        "there is no adapter in {folder} yet: run the recipe that makes it first, or name another in model.adapter"
    ))
}

fn missing_data(folders: &Folders, data: &DataPart) -> Option<String> {
    let parts = [(Some(&data.train), Use::Training), (data.eval.as_ref(), Use::HeldOut)];
    parts.into_iter().filter_map(|(from, wanted)| Some((from?, wanted))).find_map(|(from, wanted)| {
        if source::of_session(from).is_none() {
            return missing_file(from, &data.map);
        }
        let session = Session::open(Path::new(data.session.as_deref()?), Access::Read);
        let missing = session.map_err(anyhow::Error::from);
        missing
            .and_then(|session| missing_records(folders, &session, (from, wanted)))
            .unwrap_or_else(|error| Some(format!("{error:#}")))
    })
}

fn missing_records(
    folders: &Folders,
    session: &Session,
    (from, wanted): (&str, Use),
) -> Result<Option<String>> {
    match ExampleSource::parse(from).map_err(anyhow::Error::msg)? {
        ExampleSource::Files(_) => Ok(None),
        ExampleSource::Records(filter) => missing_of(session, &filter, (from, wanted)),
        ExampleSource::Set(order) => Ok(sets::rows(folders, session, &order)?.is_empty().then(|| {
            format!(
                "{from} holds nothing yet: it takes right thoughts and approved corrections, which Review (2) decides on"
            )
        })),
    }
}

/// Looks at once at those that would be learnt, and counts the others only to say why there are none.
fn missing_of(session: &Session, filter: &Filter, (from, wanted): (&str, Use)) -> Result<Option<String>> {
    let count = |filter: &Filter| Ok::<_, anyhow::Error>(session.view(filter, SortOrder::default())?.len());
    let both = |other: Filter| Filter::And(vec![filter.clone(), other]);
    let rejected = || if filter.speaks_of_status() { Ok(0) } else { count(&both(super::rejected())) };
    let takes_pairs = filter.speaks_of(Property::Preference);
    let without = (!takes_pairs).then(no_pairs);
    let learnt = Filter::And([learnt_of(filter.clone())].into_iter().chain(without).collect());
    let view = session.view(&learnt, SortOrder::default())?;
    if !view.is_empty() {
        let Some(missing) = unlearnable(session, &view, (from, wanted))? else { return Ok(None) };
        return Ok(Some(match rejected()? {
            0 => missing,
            1 => format!("{missing} (1 more is rejected)"),
            many => format!("{missing} ({many} more are rejected)"),
        }));
    }
    let records = count(filter)?;
    if records == 0 {
        return Ok(Some(format!("{from} holds no records: bring some in on Data (1, then i)")));
    }
    if rejected()? == records {
        return Ok(Some(format!("all {records} records of {from} are rejected: approve some on Data (1)")));
    }
    if !takes_pairs && count(&both(are_pairs()))? > 0 {
        return Ok(Some(pairs::pairs_alone(records, from)));
    }
    Ok(Some(format!(
        "none of the {records} records of {from} has a text to learn, only columns: name their file in data.train and \
         its columns in data.map, or import it into a new session with its columns chosen"
    )))
}

/// Why none of these records can be trained on, whatever the model: nothing where one can, and where they are too many
/// to look at each.
fn unlearnable(session: &Session, view: &View, (from, wanted): (&str, Use)) -> Result<Option<String>> {
    let by_split =
        wanted == Use::Training && !ExampleSource::parse(from).is_ok_and(|source| source.names_split());
    let (mut first, mut start) = (None, 0);
    while start < view.len() {
        if start >= LOOKED {
            return Ok(None);
        }
        for row in view.rows(session, start..start + STRETCH)? {
            let why = match (&row.record, row.record.split.as_deref().and_then(Use::of)) {
                (record, Some(Use::HeldOut)) if by_split => {
                    format!(
                        "its split is {:?}, which is held out",
                        record.split.as_deref().unwrap_or_default()
                    )
                }
                (record, _) => match encode::check(record) {
                    Ok(()) => return Ok(None),
                    Err(error) => one_line(&format!("{error:#}")),
                },
            };
            first.get_or_insert_with(|| format!("record {}: {why}", row.id));
        }
        start += STRETCH;
    }
    Ok(first.map(|first| match view.len() {
        1 => format!("the only record of {from} can't be trained on: {first}"),
        many => format!("none of the {many} records of {from} can be trained on; the first, {first}"),
    }))
}

fn missing_file(path: &str, map: &[String]) -> Option<String> {
    if path.starts_with("hf:") {
        return None;
    }
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() == 0 => Some(format!("{path} is empty")),
        Ok(_) => glance::missing(Path::new(path), map),
        Err(_) => Some(format!("there is no file or folder {path}")),
    }
}
