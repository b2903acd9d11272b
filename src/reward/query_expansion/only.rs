//! The points of a completion of which one type of line alone is asked (`/only:lex`).

use super::score::{
    Ledger, QueryExpansionScore, count, failed, filler, one_decimal, quoted, rating, think_bonus,
};
use super::text::{ExpansionKind, Line, Lines, QueryTerms, Thinking, is_generic};

pub(super) fn only_mode(
    terms: &QueryTerms,
    lines: &Lines<'_>,
    kind: ExpansionKind,
    thinking: Thinking,
    mut ledger: Ledger,
) -> QueryExpansionScore {
    let own = lines.of(kind);
    if own.is_empty() {
        ledger.lost("score", 100, || format!("no {} line, which alone is asked for", kind.name()));
        return failed(ledger);
    }
    let others = (lines.lex.len() + lines.vec.len() + lines.hyde.len() - own.len()) as i64;
    let format = (30 - 10 * others).max(0);
    ledger.lost("format", 30 - format, || format!("{others} lines of other types"));
    let diversity = only_diversity(terms, own, &mut ledger);
    let quality = only_quality(terms, own, kind, &mut ledger);
    let entity = only_entity(terms, own, &mut ledger);
    let think_bonus = think_bonus(thinking, &mut ledger);
    let total = format + diversity + quality + entity + think_bonus;
    let share = total as f64 / 120.0;
    let percentage = (share * 100.0).clamp(0.0, 100.0);
    QueryExpansionScore {
        score: share.clamp(0.0, 1.0),
        percentage: one_decimal(percentage),
        rating: rating(percentage),
        format,
        diversity,
        hyde: 0,
        quality,
        entity,
        think_bonus,
        most: 120,
        deductions: ledger.deductions,
    }
}

fn only_diversity(terms: &QueryTerms, own: &[Line<'_>], ledger: &mut Ledger) -> i64 {
    const PART: &str = "diversity";
    let alike = terms.alike(own) as i64;
    let varied = if own.len() >= 2 { (15 - 5 * alike).max(0) } else { 0 };
    ledger.lost(PART, 15 - varied, || match own.len() {
        1 => "one line alone".to_owned(),
        _ => format!("{alike} pairs of lines are nearly the same"),
    });
    let echo = |line: &Line<'_>| terms.is_echoed_by(line);
    let echoes = 5 * count(own, echo);
    ledger.lost(PART, echoes, || format!("the query is echoed by {}", quoted(own, echo)));
    (15 + varied - echoes).max(0)
}

fn only_quality(terms: &QueryTerms, own: &[Line<'_>], kind: ExpansionKind, ledger: &mut Ledger) -> i64 {
    const PART: &str = "quality";
    let mut points = 10;
    match kind {
        ExpansionKind::Lex => {
            let loses = |line: &Line<'_>| !terms.key_terms_in(line);
            points += ledger.gain(PART, count(own, loses) == 0, 5, || {
                format!("without a key term of the query: {}", quoted(own, loses))
            });
            points += ledger.gain(PART, count(own, is_generic) == 0, 5, || {
                format!("says nothing: {}", quoted(own, is_generic))
            });
            points -= filler(terms, own, ledger);
        }
        ExpansionKind::Vec => {
            let sentences = if own.iter().all(Line::is_sentence) { 10 } else { 5 };
            ledger.lost(PART, 10 - sentences, || {
                format!("no sentence: {}", quoted(own, |line| !line.is_sentence()))
            });
            points += sentences;
        }
        ExpansionKind::Hyde => {
            let length = own.first().map_or(0, |line| line.characters);
            let fitting = match length {
                50..=200 => 10,
                30..=300 => 5,
                _ => 0,
            };
            ledger.lost(PART, 10 - fitting, || format!("{length} characters; 50 to 200 are asked for"));
            points += fitting;
        }
    }
    points
}

fn only_entity(terms: &QueryTerms, own: &[Line<'_>], ledger: &mut Ledger) -> i64 {
    const PART: &str = "entity";
    if terms.entities.is_empty() {
        return 10;
    }
    let kept = count(own, |line| terms.entities_in(line));
    let points = match kept {
        0 => 0,
        some if some < own.len() as i64 => 15,
        _ => 20,
    };
    ledger.lost(PART, 20 - points, || {
        format!("no name of the query in {}", quoted(own, |line| !terms.entities_in(line)))
    });
    points
}
