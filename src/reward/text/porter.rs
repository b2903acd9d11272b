//! Porter's stemmer (1980) with the changes of NLTK's default mode, whose stems ROUGE's and METEOR's reference programs use.

/// The stem of a lower-case word.
#[must_use]
pub fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    if word.chars().count() <= 2 {
        return word.to_owned();
    }
    let mut word = inflection(word.to_owned());
    word = past_and_participle(word);
    word = final_y(word);
    word = double_suffix(word);
    word = by_rules(word, &STEP_3, |stem| measure(stem) > 0);
    word = single_suffix(word);
    final_double_l(final_e(word))
}

const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// Whether each letter is a consonant; a `y` after one is a vowel.
fn consonants(word: &str) -> Vec<bool> {
    let mut found: Vec<bool> = Vec::new();
    for letter in word.chars() {
        let is_consonant = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' => false,
            'y' => found.last().is_none_or(|before| !before),
            _ => true,
        };
        found.push(is_consonant);
    }
    found
}

/// How often a vowel is followed by a consonant.
fn measure(stem: &str) -> usize {
    let letters = consonants(stem);
    letters.iter().zip(letters.iter().skip(1)).filter(|(a, b)| !**a && **b).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn last_two(word: &str) -> Option<(char, char)> {
    let mut letters = word.chars().rev();
    let last = letters.next()?;
    Some((letters.next()?, last))
}

fn ends_in_double_consonant(word: &str) -> bool {
    last_two(word).is_some_and(|(a, b)| a == b) && consonants(word).last() == Some(&true)
}

/// Consonant, vowel, consonant other than w, x and y; or, of two letters, vowel and consonant.
fn ends_short(word: &str) -> bool {
    let last = word.chars().next_back();
    match consonants(word).as_slice() {
        [.., true, false, true] => !matches!(last, Some('w' | 'x' | 'y')),
        [false, true] => true,
        _ => false,
    }
}

/// The first rule whose ending the word has is applied or, if its condition fails, none is.
fn by_rules(word: String, rules: &[(&str, &str)], holds: impl Fn(&str) -> bool) -> String {
    for (ending, new) in rules {
        if let Some(stem) = word.strip_suffix(ending) {
            return if holds(stem) { format!("{stem}{new}") } else { word };
        }
    }
    word
}

fn inflection(word: String) -> String {
    if word.ends_with("ies") && word.chars().count() == 4 {
        return by_rules(word, &[("ies", "ie")], |_| true);
    }
    by_rules(word, &[("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")], |_| true)
}

fn past_and_participle(word: String) -> String {
    if word.ends_with("ied") {
        let new = if word.chars().count() == 4 { "ie" } else { "i" };
        return by_rules(word, &[("ied", new)], |_| true);
    }
    if word.ends_with("eed") {
        return by_rules(word, &[("eed", "ee")], |stem| measure(stem) > 0);
    }
    let stem =
        ["ed", "ing"].into_iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| has_vowel(stem)));
    let Some(stem) = stem else { return word };
    for ending in ["at", "bl", "iz"] {
        if stem.ends_with(ending) {
            return format!("{stem}e");
        }
    }
    if ends_in_double_consonant(stem) {
        return match stem.strip_suffix(['l', 's', 'z']) {
            Some(_) => stem.to_owned(),
            None => stem.chars().take(stem.chars().count() - 1).collect(),
        };
    }
    if measure(stem) == 1 && ends_short(stem) { format!("{stem}e") } else { stem.to_owned() }
}

fn final_y(word: String) -> String {
    by_rules(word, &[("y", "i")], |stem| {
        let letters = consonants(stem);
        letters.len() > 1 && letters.last() == Some(&true)
    })
}

const STEP_2: [(&str, &str); 21] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
];

fn double_suffix(word: String) -> String {
    if let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        return double_suffix(format!("{stem}al"));
    }
    let known = STEP_2.iter().any(|(ending, _)| word.ends_with(ending));
    if !known && let Some(stem) = word.strip_suffix("logi") {
        // The `l` counts with the stem, so that `geo` is as long as `archaeo`.
        return if measure(&format!("{stem}l")) > 0 { format!("{stem}log") } else { word };
    }
    by_rules(word, &STEP_2, |stem| measure(stem) > 0)
}

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

fn single_suffix(word: String) -> String {
    for ending in STEP_4 {
        if let Some(stem) = word.strip_suffix(ending) {
            let fits = measure(stem) > 1 && (ending != "ion" || stem.ends_with(['s', 't']));
            return if fits { stem.to_owned() } else { word };
        }
    }
    word
}

fn final_e(word: String) -> String {
    let fits = |stem: &str| measure(stem) > 1 || (measure(stem) == 1 && !ends_short(stem));
    by_rules(word, &[("e", "")], fits)
}

fn final_double_l(word: String) -> String {
    let fits = word.strip_suffix('l').is_some_and(|shorter| measure(shorter) > 1);
    by_rules(word, &[("ll", "l")], |_| fits)
}
