//! A run's records become tokens: an answer each, or both of a pair.

use anyhow::{Context, Result, ensure};

use super::data::SourcedRecord;
use super::items::TokenItems;
use crate::data::encode::{Encoded, Encoder};
use crate::domain::batch::TokenPair;
use crate::domain::recipe::{Method, Recipe};
use crate::domain::record::{Preference, Record};
use crate::engine::model::OpenModel;

/// Examples that are encoded between two looks at whether to go on.
const BLOCK: usize = 1024;

/// One record's tokens.
pub(super) struct EncodedItem {
    /// The answer, or the chosen one.
    pub(super) learnt: Encoded,
    /// Of a pair.
    rejected: Option<Encoded>,
}

impl EncodedItem {
    pub(super) fn is_truncated(&self) -> bool {
        self.learnt.is_truncated() || self.rejected.as_ref().is_some_and(Encoded::is_truncated)
    }

    /// The items of a method.
    pub(super) fn tokens(items: Vec<Self>, method: Method) -> TokenItems {
        if method == Method::Dpo {
            let pair = |item: Self| {
                Some(TokenPair { chosen: item.learnt.example, rejected: item.rejected?.example })
            };
            TokenItems::Pairs(items.into_iter().filter_map(pair).collect())
        } else {
            TokenItems::Answers(items.into_iter().map(|item| item.learnt.example).collect())
        }
    }
}

/// The rows that can be trained on, with their tokens; the others are named among the malformed.
pub(super) fn encode(
    rows: Vec<SourcedRecord>,
    (model, longest): (&OpenModel, usize),
    recipe: &Recipe,
    (malformed, lost): (&mut Vec<String>, &mut usize),
    go_on: &dyn Fn(usize) -> bool,
) -> Result<(Vec<SourcedRecord>, Vec<EncodedItem>)> {
    let template = model.template.compile()?;
    let end = model.template.eos_token.as_deref();
    let encoder =
        Encoder::new(&model.tokenizer, template.as_ref(), end, longest)?.with_rows(model.config.vocabulary);
    let records: Vec<&Record> = rows.iter().map(|row| &row.record).collect();
    let mut encoded = Vec::with_capacity(records.len());
    for block in records.chunks(BLOCK) {
        ensure!(go_on(encoded.len()), "stopped while the examples were read");
        encoded.extend(encode_block(&encoder, block, recipe.method));
    }
    let (mut kept, mut items) = (Vec::new(), Vec::new());
    for (row, encoded) in rows.into_iter().zip(encoded) {
        match encoded.and_then(|item| as_asked(&row.record, item, recipe)) {
            Ok(item) => {
                kept.push(row);
                items.push(item);
            }
            Err(error) => {
                let too_long = encoder.length(&row.record).is_ok_and(|length| length > longest);
                *lost += usize::from(too_long);
                malformed.push(format!("{error:#}"));
            }
        }
    }
    Ok((kept, items))
}

fn encode_block(encoder: &Encoder<'_>, block: &[&Record], method: Method) -> Vec<Result<EncodedItem>> {
    let learnt = encoder.encode_each(block);
    if method != Method::Dpo {
        let item = |one: Result<Encoded>| one.map(|learnt| EncodedItem { learnt, rejected: None });
        return learnt.into_iter().map(item).collect();
    }
    let turned: Vec<Record> = block.iter().map(|record| turned(record)).collect();
    let rejected = encoder.encode_each(&turned.iter().collect::<Vec<_>>());
    let pair = |(chosen, rejected): (Result<Encoded>, Result<Encoded>)| {
        let learnt = chosen.context("read the chosen answer")?;
        let rejected = rejected.context("read the rejected answer")?;
        Ok(EncodedItem { learnt, rejected: Some(rejected) })
    };
    learnt.into_iter().zip(rejected).map(pair).collect()
}

/// The same pair with its answers the other way round.
fn turned(record: &Record) -> Record {
    let preference = record.preference.as_ref();
    let preference =
        preference.map(|pair| Preference { chosen: pair.rejected.clone(), rejected: pair.chosen.clone() });
    Record { preference, ..record.clone() }
}

/// An item as the recipe learns it.
fn as_asked(record: &Record, mut item: EncodedItem, recipe: &Recipe) -> Result<EncodedItem> {
    if let Some(rejected) = &item.rejected {
        ensure!(
            item.learnt.example.tokens != rejected.example.tokens,
            "{}: both answers are the same in the {} tokens that are read of them, so that neither is preferred",
            record.place(),
            rejected.example.tokens.len()
        );
    }
    if !recipe.data.assistant_only_loss {
        if let Some(turn) = record.messages.iter().position(|turn| !turn.is_learnt()) {
            anyhow::bail!(
                "{}: turn {} is not to be learnt, and data.assistant_only_loss = false learns every turn",
                record.place(),
                turn + 1
            );
        }
        item.learnt.example.trained.iter_mut().skip(1).for_each(|trained| *trained = true);
    }
    Ok(item)
}
