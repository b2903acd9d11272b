//! The points of a completion that may hold lines of every type.

use super::score::{Ledger, QueryExpansionScore, count, filler, one_decimal, quoted, rating, think_bonus};
use super::text::{ExpansionKind, Line, Lines, QueryTerms, Thinking, is_generic, repetition_penalty};

pub(super) fn normal_mode(
    terms: &QueryTerms,
    lines: &Lines<'_>,
    thinking: Thinking,
    mut ledger: Ledger,
) -> QueryExpansionScore {
    let format = 10
        + ledger.gain("format", !lines.lex.is_empty(), 10, || "no lex line".to_owned())
        + ledger.gain("format", !lines.vec.is_empty(), 10, || "no vec line".to_owned());
    let diversity = diversity(terms, lines, &mut ledger);
    let hyde = hyde(lines, &mut ledger);
    let quality = quality(terms, lines, &mut ledger);
    let entity = entity(terms, lines, &mut ledger);
    let think_bonus = think_bonus(thinking, &mut ledger);
    let most = if lines.hyde.is_empty() { 120 } else { 140 };
    let total = (format + diversity + hyde + quality + entity + think_bonus).max(0);
    let share = total as f64 / most as f64;
    let mut percentage = (share * 100.0).clamp(0.0, 100.0);
    if percentage > 50.0 && lines.lex.iter().any(|line| terms.is_echoed_by(line)) {
        ledger.lost("percentage", (percentage - 50.0).round() as i64, || {
            "a lex line echoes the query: the percentage is at most 50".to_owned()
        });
        percentage = 50.0;
    }
    QueryExpansionScore {
        score: share.clamp(0.0, 1.0),
        percentage: one_decimal(percentage),
        rating: rating(percentage),
        format,
        diversity,
        hyde,
        quality,
        entity: entity.max(0),
        think_bonus,
        most,
        deductions: ledger.deductions,
    }
}

fn diversity(terms: &QueryTerms, lines: &Lines<'_>, ledger: &mut Ledger) -> i64 {
    const PART: &str = "diversity";
    let both = !lines.lex.is_empty() && !lines.vec.is_empty();
    let mut points = ledger.gain(PART, both, 10, || "lex and vec lines are not both there".to_owned());
    let several = lines.lex.len() + lines.vec.len() >= 2;
    points += ledger.gain(PART, several, 5, || "fewer than two lex and vec lines".to_owned());
    for kind in [ExpansionKind::Lex, ExpansionKind::Vec] {
        let alike = terms.alike(lines.of(kind)) as i64;
        let kept = (5 - 2 * alike).max(0);
        ledger.lost(PART, 5 - kept, || format!("{alike} pairs of {} lines are nearly the same", kind.name()));
        points += kept;
    }
    let echo = |line: &Line<'_>| terms.is_echoed_by(line);
    let (lex, vec) = (count(&lines.lex, echo), count(&lines.vec, echo));
    let kept = (5 - 10 * lex - 3 * vec).max(-10);
    ledger.lost(PART, 5 - kept, || {
        let found = [quoted(&lines.lex, echo), quoted(&lines.vec, echo)];
        let found: Vec<String> = found.into_iter().filter(|found| !found.is_empty()).collect();
        format!("the query is echoed by {}", found.join(", "))
    });
    points + kept
}

fn hyde(lines: &Lines<'_>, ledger: &mut Ledger) -> i64 {
    const PART: &str = "hyde";
    let Some(first) = lines.hyde.first() else { return 0 };
    let fitting = match first.characters {
        50..=200 => 5,
        0..50 => 2,
        201.. => 0,
    };
    ledger.lost(PART, 5 - fitting, || format!("{} characters; 50 to 200 are asked for", first.characters));
    let penalty = repetition_penalty(first);
    let varied = (5 - penalty).max(0);
    ledger.lost(PART, 5 - varied, || "words are repeated three times or more".to_owned());
    5 + fitting + 5 + varied
}

fn quality(terms: &QueryTerms, lines: &Lines<'_>, ledger: &mut Ledger) -> i64 {
    const PART: &str = "quality";
    let Lines { lex, vec, .. } = lines;
    let mean = |lines: &[Line<'_>]| {
        lines.iter().map(|line| line.characters).sum::<usize>() as f64 / lines.len() as f64
    };
    let mut points = 5;
    if !lex.is_empty() && !vec.is_empty() {
        let shorter = mean(lex) <= mean(vec);
        points += ledger.gain(PART, shorter, 5, || "lex lines are longer than vec lines".to_owned());
    }
    if !vec.is_empty() {
        let sentences = if vec.iter().all(Line::is_sentence) { 5 } else { 2 };
        ledger.lost(PART, 5 - sentences, || {
            format!("no sentence: {}", quoted(vec, |line| !line.is_sentence()))
        });
        points += sentences;
    }
    let (keeps, loses) =
        (|line: &Line<'_>| terms.key_terms_in(line), |line: &Line<'_>| !terms.key_terms_in(line));
    if !lex.is_empty() {
        let kept = match count(lex, keeps) {
            0 => 0,
            some if some < lex.len() as i64 => 2,
            _ => 5,
        };
        ledger.lost(PART, 5 - kept, || format!("without a key term of the query: {}", quoted(lex, loses)));
        points += kept;
    }
    points -= filler(terms, lex, ledger);
    if terms.word_count >= 2 {
        let quotes = lex.iter().any(|line| line.text.contains('"'));
        points += ledger.gain(PART, quotes, 3, || "no lex line quotes a phrase".to_owned());
    }
    points
}

fn entity(terms: &QueryTerms, lines: &Lines<'_>, ledger: &mut Ledger) -> i64 {
    const PART: &str = "entity";
    let Lines { lex, vec, .. } = lines;
    if terms.entities.is_empty() {
        return 10;
    }
    if lex.is_empty() {
        ledger.lost(PART, 20, || format!("no lex line keeps {}", terms.entities.join(", ")));
        return 0;
    }
    let keeps = |line: &Line<'_>| terms.entities_in(line);
    let kept = match count(lex, keeps) {
        0 => -30,
        some if some < lex.len() as i64 => 5,
        _ => 15,
    };
    ledger.lost(PART, 15 - kept, || {
        format!("no name of the query in {}", quoted(lex, |line| !terms.entities_in(line)))
    });
    let nowhere = |entity: &&String| {
        // Lines are joined by spaces in the original; no entity holds one.
        !lex.iter().chain(vec).any(|line| line.lower.contains(entity.as_str()))
    };
    let missing: Vec<&String> = terms.entities.iter().filter(nowhere).collect();
    for entity in &missing {
        ledger.lost(PART, 20, || format!("{entity:?} is in no lex or vec line"));
    }
    let generic = count(lex, is_generic);
    ledger.lost(PART, 15 * generic, || format!("says nothing: {}", quoted(lex, is_generic)));
    let in_vec =
        ledger.gain(PART, vec.iter().any(keeps), 5, || "no vec line has a name of the query".to_owned());
    kept - 20 * missing.len() as i64 - 15 * generic + in_vec
}
