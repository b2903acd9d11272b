//! What the library for constraints says of one that it can't use, in plain words: its own hold names of its types and
//! of its code.

/// Why a constraint can't be used, in the rest of a sentence.
pub(super) fn plain(error: &str) -> String {
    let line = error.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    if error.starts_with("panic") || line.contains("panicked at") {
        return "it is beyond what can be compiled".to_owned();
    }
    if ["NoExtensionBias", "NoExtension", "Regex is empty"].iter().any(|state| error.contains(state)) {
        return "no text fits it, so nothing can be written".to_owned();
    }
    // What follows is the expression in the library's own form.
    if line.contains("Unable to determine if regex is empty") {
        return "whether any text fits it is too hard to find out: simplify its patterns and bounds"
            .to_owned();
    }
    // A message of several lines shows the place first, and says why at its end.
    let why = || error.lines().find_map(|line| line.trim().strip_prefix("error: "));
    let line = if line.ends_with(':') { why().unwrap_or(line) } else { line };
    match placed(line) {
        Some((place, rest)) => format!("{place}: {}", in_own_words(rest)),
        None => in_own_words(line),
    }
}

/// `at 1(8): why` or `1(8): why`, with the place in words.
fn placed(line: &str) -> Option<(String, &str)> {
    let (place, rest) = line.strip_prefix("at ").unwrap_or(line).split_once("): ")?;
    let (row, column) = place.split_once('(')?;
    let (row, column): (usize, usize) = (row.parse().ok()?, column.parse().ok()?);
    Some((format!("line {row}, column {column}"), rest))
}

/// How the library begins to say something, and how we say it; what follows there is left out.
const SAID: [(&str, &str); 33] = [
    (
        "oneOf constraints are not supported",
        "oneOf is known only if no text fits two of its parts: use anyOf",
    ),
    (
        "patternProperty regexes",
        "its patternProperties overlap: write patterns of which no key fits two, since such a key's value would have \
         to fit both",
    ),
    (
        "min/maxProperties only supported",
        "minProperties and maxProperties are known only if every key of its properties is required",
    ),
    ("can't determine", "whether its patternProperties overlap is too hard to find out: simplify them"),
    ("invalid type: ", "x-guidance must hold settings for JSON"),
    ("unknown field ", "x-guidance holds a setting that isn't known"),
    ("Invalid URI reference", "an $id or a $ref is no address"),
    ("Failed to generate regex for", "its bounds of numbers are too large to keep to"),
    ("Schema intersection stack", "its parts refer to each other too deeply"),
    ("schema too large", "it is too large"),
    ("lexer error", "a sign stands there that belongs nowhere"),
    ("Expected value", "a value is missing there"),
    ("Unexpected expression", "an expression stands there that belongs nowhere"),
    ("expecting rule, token or statement", "a rule, a token or a statement is missing there"),
    ("Unmatched %lark", "what follows %lark has no end"),
    ("range end must be", "a range ends before its beginning"),
    ("invalid range order", "a range ends before its beginning"),
    ("invalid token range", "a range of tokens ends before its beginning"),
    ("failed to parse \"%json\"", "what follows %json isn't valid JSON"),
    ("failed to parse \"%llguidance\"", "what follows %llguidance isn't valid JSON"),
    ("failed to parse %llguidance", "what follows %llguidance holds a setting that isn't known"),
    ("failed to parse \"%regex\"", "what follows %regex isn't valid JSON"),
    ("failed to parse %regex", "what follows %regex holds a setting that isn't known"),
    ("Token range end too large", "a token's number is too large for this model"),
    ("no start rule found", "it has no rule that is called start"),
    ("l-flag is not supported", "expressions can't have the flag l"),
    ("override statement", "%override isn't known"),
    ("declare statement", "%declare isn't known"),
    ("& is only supported for tokens", "& joins tokens only, whose names are in capitals"),
    ("template usage", "templates of rules aren't known"),
    ("unsupported operator", "an operator stands there that isn't known"),
    ("no fields set on %regex", "what follows %regex is empty"),
    ("numeric grammar references", "a grammar can't be referred to by a number"),
];

/// As [`SAID`], with what follows.
const SAID_OF: [(&str, &str); 9] = [
    ("Unsatisfiable schema: ", "no text fits it: "),
    ("failed to compile JSON schema: ", "a JSON schema in it can't be used: "),
    ("Unimplemented keys: ", "this server can't keep to its "),
    ("Invalid type: ", "there is no type of the name "),
    ("Unknown format: ", "there is no format of the name "),
    ("unknown name: ", "nothing has the name "),
    ("unknown grammar ", "there is no grammar "),
    ("duplicate rule: ", "there are two rules of the name "),
    ("duplicate token: ", "there are two tokens of the name "),
];

/// `Expected KIND for 'KEY', got VALUE`.
const KINDS: [(&str, &str); 6] = [
    ("f64", "a number"),
    ("positive integer", "a whole number from 0"),
    ("string", "a text"),
    ("array", "a list"),
    ("object", "an object"),
    ("boolean", "true or false"),
];

/// Parts of the library's own words that nobody else understands.
const INNER: [&str; 12] = [
    "Some(",
    "::",
    "struct ",
    "lexer",
    "lexeme",
    "EOF",
    "f64",
    "serde",
    "llguidance",
    "regex",
    "{",
    "retriev",
];

fn in_own_words(line: &str) -> String {
    const CHARACTERS: usize = 300;
    if let Some((_, own)) = SAID.iter().find(|(theirs, _)| line.starts_with(theirs)) {
        return (*own).to_owned();
    }
    if line.contains("lookarounds not supported") {
        return "^, $ and \\b can't stand within an expression".to_owned();
    }
    if let Some((rest, own)) =
        SAID_OF.iter().find_map(|(theirs, own)| Some((line.strip_prefix(theirs)?, own)))
    {
        return format!("{own}{}", cut(in_own_words(rest), CHARACTERS));
    }
    if let Some(own) = of_kind(line).or_else(|| of_name(line)) {
        return cut(own, CHARACTERS);
    }
    if line.is_empty() || INNER.iter().any(|part| line.contains(part)) {
        return "it isn't valid".to_owned();
    }
    cut(line.to_owned(), CHARACTERS)
}

fn of_kind(line: &str) -> Option<String> {
    let (kind, rest) = line.strip_prefix("Expected ")?.split_once(" for ")?;
    let (_, own) = KINDS.iter().find(|(theirs, _)| *theirs == kind)?;
    let (key, value) = rest.split_once(", got ")?;
    let item = if key.ends_with("' item") { "an item of " } else { "" };
    Some(format!("{item}{} must be {own}, and is {value}", key.trim_end_matches(" item").trim_matches('\'')))
}

/// Messages that hold a name in their middle.
fn of_name(line: &str) -> Option<String> {
    let between =
        |before: &str, after: &str| Some(line.strip_prefix(before)?.split_once(after)?.0.to_owned());
    let expected = || Some(format!("{} is missing there", between("Expected token ", ", found")?));
    let pointer = || Some(format!("its $ref leads to {}, where nothing is", between("Pointer '", "'")?));
    let resource = || {
        let name = between("Resource '", "'")?;
        Some(format!("it refers to {name:?}: only what stands in the schema itself can be referred to"))
    };
    let token =
        || Some(format!("{} is no special token of this model", between("unknown special token: ", ";")?));
    let common = || Some(format!("there is no {} to import", between("Unknown common regex: ", ";")?));
    let circle =
        || Some(format!("the token {} refers to itself", between("circular reference in token ", " ")?));
    expected().or_else(pointer).or_else(resource).or_else(token).or_else(common).or_else(circle)
}

fn cut(text: String, characters: usize) -> String {
    if text.chars().count() <= characters {
        text
    } else {
        text.chars().take(characters).chain(['…']).collect()
    }
}
