//! Lines of an expansion that are in another language than the question: they are found and left out. A question is
//! often too short for its language to be told by its letters, so more is looked at: the script, small words that only
//! one language has, letters that English lacks, the language of the lines, and the words that both share.

use whatlang::{Detector, Info, Lang, Script, detect_script};

use crate::domain::retrieval::{LineKind, PassedOverLine, QueryLine};
use crate::rag::load::language::all;

/// So many more small words of one language than of any other are certain.
const CERTAIN: usize = 2;
/// Letters from which on a text's letters tell its language.
const LETTERS: usize = 20;

/// Small words, by which even a short question tells its language. What several languages have counts for each.
const SMALL_WORDS: [(Lang, &str); 7] = [
    (
        Lang::Eng,
        "a s the of and to is are was were what how why when which who does do did can could with for from that this my \
         your not it its be an by on should between without will there has have i you if about into than then or",
    ),
    (
        Lang::Deu,
        "der die das den dem des und ist sind war was wie warum wieso wann welche welcher welches welchen wer wo wird \
         werden kann können mit für von zu im nicht kein keine ein eine einen einer einem eines auf bei nach über \
         zwischen ohne gegen aus durch ich mein meine meinen man es sich beim zum zur vom am um als auch oder hat haben \
         wenn muss darf soll gibt",
    ),
    (
        Lang::Fra,
        "le la les des du de et est sont un une que qui quoi comment pourquoi quand où quel quelle quels quelles avec \
         pour dans sur par ne pas ce cette ces mon ma mes son sa ses je il elle on nous vous au aux l d qu fait \
         faire sans entre sous après contre peut faut plus ou en se",
    ),
    (
        Lang::Spa,
        "el la los las un una de del es son que qué cómo como por para con en no se su sus mi cuándo cuál cuáles \
         dónde quién sin entre sobre al lo está hay puede más",
    ),
    (
        Lang::Ita,
        "il lo la gli le un una uno di del della dei delle è sono che cosa come perché quando quale quali con per \
         non da nel nella si mio mia l d senza tra sul sulla può più",
    ),
    (
        Lang::Por,
        "os as um uma de do da dos das é são que como por para com em não se no na meu minha qual quais quando \
         onde quem sem entre ao pode mais",
    ),
    (
        Lang::Nld,
        "de het een en is zijn was wat hoe waarom wanneer welke wie met voor van te niet geen op bij naar over tussen \
         zonder tegen uit door ik mijn je of om als ook kan moet wordt worden",
    ),
];
/// Characters that Chinese is full of, and Japanese is not.
const CHINESE: &str = "的了吗呢怎么什为哪们这那是在如何";

/// What is written with other letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WritingSystem {
    /// Chinese characters alone.
    Han,
    /// Chinese characters with kana, or kana.
    Japanese,
    Of(Script),
}

/// The lines in the question's language, and those in others.
pub(super) fn same(question: &str, lines: Vec<QueryLine>) -> (Vec<QueryLine>, Vec<PassedOverLine>) {
    let (mut kept, mut other) = (Vec::new(), Vec::new());
    let asked = AskedLanguage::of(question);
    let sentences = lines.iter().filter(|line| is_sentence(line)).count();
    for line in lines {
        match asked.other_writing(question, &line.text) {
            Some(why) => other.push(PassedOverLine { line, why }),
            None => kept.push(line),
        }
    }
    // Each of these has one language, or one that matters.
    let is_told = matches!(
        asked.writing,
        Some(WritingSystem::Han | WritingSystem::Japanese | WritingSystem::Of(Script::Hangul))
    );
    let told = |text: &str| if is_told { None } else { told(text) };
    let told: Vec<Option<Lang>> =
        kept.iter().map(|line| told(&line.text).filter(|_| is_sentence(line))).collect();
    let mut languages: Vec<Lang> = told.iter().copied().flatten().collect();
    languages.sort_unstable_by_key(Lang::code);
    languages.dedup();
    // A lone language has the words without one on its side.
    let (none, alone) = (languages.is_empty(), languages.len() == 1);
    let fits: Vec<Lang> = languages
        .into_iter()
        .filter(|&language| {
            let of_it = kept.iter().zip(&told).filter(|(_, of)| of.map_or(alone, |of| of == language));
            let said: Vec<&str> = of_it.map(|(line, _)| line.text.as_str()).collect();
            asked.is(language, question, &said.join(" "))
        })
        .collect();
    let judged = kept.into_iter().zip(told).map(|(line, language)| match language {
        Some(language) if !fits.contains(&language) => Err(PassedOverLine {
            why: format!("it is in {}, and the question is not", language.eng_name()),
            line,
        }),
        Some(_) | None => Ok(line),
    });
    let (kept, left): (Vec<_>, Vec<_>) = judged.partition(Result::is_ok);
    other.extend(left.into_iter().filter_map(Result::err));
    let mut kept: Vec<QueryLine> = kept.into_iter().flatten().collect();
    // Words alone say little: they are what the sentences beside them are.
    if sentences > 0 && !kept.iter().any(is_sentence) || !none && fits.is_empty() {
        let why = "the sentences beside it are in another language";
        other.extend(kept.drain(..).map(|line| PassedOverLine { line, why: why.to_owned() }));
    }
    (kept, other)
}

fn is_sentence(line: &QueryLine) -> bool {
    line.kind != LineKind::Lex
}

/// What can be told of a question's language.
struct AskedLanguage {
    words: Vec<String>,
    writing: Option<WritingSystem>,
    /// The language that has the most of its small words, and by how many more than the next.
    small: Option<(Lang, usize)>,
}

impl AskedLanguage {
    fn of(question: &str) -> Self {
        let words = words(question);
        let small = by_small_words(&words);
        Self { writing: writing(question), small, words }
    }

    /// Whether the question may be in a language that some lines are in.
    fn is(&self, language: Lang, question: &str, lines: &str) -> bool {
        // Two small words, or one beside letters of its own, are certain.
        let is_plain = question.is_ascii();
        match self.small {
            Some((own, _)) if own == language => return true,
            Some((_, more)) if more >= CERTAIN || !is_plain => return false,
            Some(_) | None => {}
        }
        let is_english = language == Lang::Eng;
        let has_other_letters = question.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        if is_english && has_other_letters {
            return false;
        }
        // Names are shared by all languages, but few questions are names alone.
        let there = words(lines);
        let long: Vec<&String> = self.words.iter().filter(|word| word.chars().count() > 2).collect();
        let is_there = |word: &&&String| there.iter().any(|other| other.contains(word.as_str()));
        // What goes wrong is mostly English.
        2 * long.iter().filter(is_there).count() >= long.len() + usize::from(is_english)
            || long.is_empty()
            || self.small.is_none() && guess(question).is_some_and(|guess| guess.lang() == language)
    }

    /// Why a line's writing is not the question's, if it is not. Words of the question in it say nothing.
    fn other_writing(&self, question: &str, line: &str) -> Option<String> {
        let own = self.writing?;
        let rest: Vec<String> = words(line).into_iter().filter(|word| !self.words.contains(word)).collect();
        let other = writing(&rest.join(" ")).filter(|other| *other != own)?;
        let is_chinese = |text: &str| text.chars().any(|c| CHINESE.contains(c));
        // Few characters without kana are of either language.
        let either = match (own, other) {
            (WritingSystem::Han, WritingSystem::Japanese) => !is_chinese(question),
            (WritingSystem::Japanese, WritingSystem::Han) => !is_chinese(line),
            _ => false,
        };
        (!either).then(|| format!("it is written in {}, the question in {}", other.name(), own.name()))
    }
}

/// The language that has the most of a text's small words, and by how many more than the next.
fn by_small_words(words: &[String]) -> Option<(Lang, usize)> {
    let mut counts: Vec<(usize, Lang)> = SMALL_WORDS
        .iter()
        .map(|(language, small)| {
            let is_small = |word: &&String| small.split_whitespace().any(|small| small == word.as_str());
            (words.iter().filter(is_small).count(), *language)
        })
        .collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    match counts.as_slice() {
        [(first, language), (second, _), ..] if first > second => Some((*language, first - second)),
        _ => None,
    }
}

/// The language of a sentence, if it can be told: by its small words, else by its letters if there are enough.
fn told(text: &str) -> Option<Lang> {
    let by_words = by_small_words(&words(text));
    let is_long = text.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS;
    let by_letters = || guess(text).filter(|info| is_long && info.is_reliable()).map(|info| info.lang());
    by_words.filter(|(_, more)| *more >= CERTAIN).map(|(language, _)| language).or_else(by_letters)
}

fn guess(text: &str) -> Option<Info> {
    Detector::with_allowlist(all()).detect(text)
}

impl WritingSystem {
    const fn name(self) -> &'static str {
        match self {
            Self::Han => "Chinese characters",
            Self::Japanese => "Japanese",
            Self::Of(script) => script_name(script),
        }
    }
}

const fn script_name(script: Script) -> &'static str {
    match script {
        Script::Latin => "Latin letters",
        Script::Cyrillic => "Cyrillic letters",
        Script::Greek => "Greek letters",
        Script::Arabic => "Arabic letters",
        Script::Hebrew => "Hebrew letters",
        Script::Hangul => "Korean",
        _ => "other letters",
    }
}

fn writing(text: &str) -> Option<WritingSystem> {
    let count = |is: fn(char) -> bool| text.chars().filter(|&c| is(c)).count();
    let kana = count(|c| ('\u{3040}'..='\u{30ff}').contains(&c));
    let han = count(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
    let others = count(char::is_alphabetic).saturating_sub(kana + han);
    // A character says as much as three or four letters.
    if kana + han > 0 && 4 * (kana + han) >= others {
        return Some(if kana > 0 { WritingSystem::Japanese } else { WritingSystem::Han });
    }
    detect_script(text).map(WritingSystem::Of)
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
