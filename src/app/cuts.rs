//! Examples that are longer than a run reads: how many are cut, and how many lose their whole answer and drop out. A
//! recipe that reads records of a session is looked at without a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::recipes::{learnt_of, no_pairs};
use super::record_tokenizer::RecordTokenizer;
use super::train::cut::Cut;
use super::train::recipe;
use crate::config::Folders;
use crate::domain::filter::{Bounds, Edge, Filter, NumberField, Property, Term};
use crate::domain::recipe::source::ExampleSource;
use crate::domain::statistics::Statistics;
use crate::domain::view::SortOrder;
use crate::engine::hub::{Network, Silent};
use crate::session::{Access, RecordRow, Session};

/// Models read at least so many tokens.
const SHORTEST_CONTEXT: u32 = 256;
/// Long examples that are looked at one by one.
const LOOKED: usize = 2_000;

/// Looks at recipes. Tokenizers stay open, and what was found out of a session's records is known until one changes.
#[derive(Default)]
pub struct Cuts {
    tokenizers: BTreeMap<String, Arc<RecordTokenizer>>,
    known: BTreeMap<PathBuf, (CutsKey, Option<Cut>)>,
}

/// What an answer holds for.
#[derive(Debug, Clone, PartialEq)]
struct CutsKey {
    session: PathBuf,
    records: Filter,
    model: String,
    limit: u32,
    /// Both are others when records are.
    statistics: Statistics,
    texts: i64,
}

impl Cuts {
    /// What a run by the recipe would cut: nothing where it cuts none, where it doesn't read records of a session, and as
    /// long as their tokens aren't counted for its model.
    ///
    /// # Errors
    /// Where the session can't be read, or the model's tokenizer can't be opened.
    pub fn of(&mut self, folders: &Folders, path: &Path) -> Result<Option<Cut>> {
        let Ok(recipe) = recipe::load(path, &[]) else { return Ok(None) };
        let Ok(ExampleSource::Records(filter)) = ExampleSource::parse(&recipe.data.train) else {
            return Ok(None);
        };
        let Some(folder) = recipe.data.session.as_deref() else { return Ok(None) };
        let session = Session::open(Path::new(folder), Access::Read)?;
        if session.tokenizer()?.as_deref() != Some(recipe.model.base.as_str()) {
            return Ok(None);
        }
        let pairs = if filter.speaks_of(Property::Preference) { None } else { Some(no_pairs()) };
        let records = Filter::And([learnt_of(filter)].into_iter().chain(pairs).collect());
        let asked = CutsKey {
            session: folder.into(),
            model: recipe.model.base,
            limit: u32::try_from(recipe.data.max_length).unwrap_or(u32::MAX),
            statistics: session.statistics(&records, None)?,
            texts: session.texts()?,
            records,
        };
        if let Some((before, cut)) = self.known.get(path)
            && *before == asked
        {
            return Ok(*cut);
        }
        let cut = self.look(folders, &session, &asked)?;
        self.known.insert(path.to_owned(), (asked, cut));
        Ok(cut)
    }

    fn look(&mut self, folders: &Folders, session: &Session, asked: &CutsKey) -> Result<Option<Cut>> {
        let longest = asked.statistics.longest.unwrap_or_default();
        if longest <= asked.limit.min(SHORTEST_CONTEXT) {
            return Ok(None);
        }
        let tokenizer = self.tokenizer(folders, &asked.model)?;
        let limit = asked.limit as usize;
        let at = limit.min(tokenizer.context());
        let longer = Bounds { low: Some(Edge::Excluded(at as f64)), high: None };
        let longer = Filter::Term(Term::Number(NumberField::Tokens, longer));
        let view = session.view(&Filter::And(vec![asked.records.clone(), longer]), SortOrder::default())?;
        if view.is_empty() {
            return Ok(None);
        }
        let (short, whole) = (tokenizer.encoder(at)?, tokenizer.encoder(usize::MAX)?);
        let rows = view.rows(session, 0..LOOKED)?;
        let loses =
            |row: &&RecordRow| short.encode(&row.record).is_err() && whole.encode(&row.record).is_ok();
        let lost = rows.par_iter().filter(loses).count();
        let examples = usize::try_from(asked.statistics.records).unwrap_or(usize::MAX);
        Ok(Some(Cut { examples, cut: view.len(), looked: rows.len(), lost, at, limit }))
    }

    fn tokenizer(&mut self, folders: &Folders, model: &str) -> Result<Arc<RecordTokenizer>> {
        if let Some(tokenizer) = self.tokenizers.get(model) {
            return Ok(Arc::clone(tokenizer));
        }
        let opened = RecordTokenizer::open(&folders.models(), model, Network::Offline, &mut Silent);
        let opened = Arc::new(opened.with_context(|| format!("look at what a run would cut for {model}"))?);
        self.tokenizers.insert(model.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }
}
