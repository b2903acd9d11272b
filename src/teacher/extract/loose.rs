//! Reads JSON as models write it: single or curly quotes, bare keys, trailing or missing commas, line breaks and
//! quotes inside strings, comments, a missing end. Never fails; it says of each string and object whether its end
//! was there, so that the caller can refuse a value that may have been cut.
//!
//! Why not a JSON-repair crate: those give back a repaired text, in which a value cut in the middle looks like a
//! whole one, and of a key given twice only one is left. Both would turn an unclear answer into a wrong label.

/// A value as found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loose {
    /// A quoted text; `closed` is false where its closing quote is missing.
    Text {
        text: String,
        closed: bool,
    },
    /// A number, `true`, `null`, or any other word without quotes; `closed` is false at the very end of the answer.
    Bare {
        text: String,
        closed: bool,
    },
    List(Vec<Self>),
    Object(LooseObject),
}

/// An object: its keys in order, also those given twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LooseObject {
    pub(super) pairs: Vec<(String, Loose)>,
    /// Whether its closing brace was there.
    pub(super) whole: bool,
}

/// Deeper nesting is no answer of a model, and would only exhaust the stack.
const DEEPEST: usize = 32;

/// Reads the object that starts at `start`, where a `{` stands. Gives it and the place behind it.
pub(super) fn object(text: &[char], start: usize) -> (LooseObject, usize) {
    let mut reader = LooseReader { text, at: start + 1, depth: 1 };
    let object = reader.object();
    (object, reader.at)
}

struct LooseReader<'a> {
    text: &'a [char],
    at: usize,
    depth: usize,
}

/// What a text stands in decides what may follow its closing quote.
#[derive(Clone, Copy, PartialEq)]
enum StringRole {
    Key,
    Value,
    Item,
}

impl LooseReader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// Behind the opening brace.
    fn object(&mut self) -> LooseObject {
        let mut object = LooseObject::default();
        loop {
            self.skip_separators();
            match self.peek() {
                None => return object,
                Some('}') => {
                    self.at += 1;
                    object.whole = true;
                    return object;
                }
                Some(_) => match self.pair() {
                    Some(pair) => object.pairs.push(pair),
                    None => return object,
                },
            }
        }
    }

    /// A key, a colon and a value; nothing where what stands here is no such thing.
    fn pair(&mut self) -> Option<(String, Loose)> {
        let key = match self.peek()? {
            quote if closing(quote).is_some() => self.text(StringRole::Key).0,
            letter if is_word(letter) => self.word(),
            _ => return None,
        };
        self.skip_space();
        if self.peek()? != ':' && self.peek()? != '=' {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some((key, self.value(StringRole::Value)?))
    }

    fn value(&mut self, place: StringRole) -> Option<Loose> {
        match self.peek()? {
            '{' if self.depth < DEEPEST => {
                self.at += 1;
                self.depth += 1;
                let object = self.object();
                self.depth -= 1;
                Some(Loose::Object(object))
            }
            '[' if self.depth < DEEPEST => {
                self.at += 1;
                self.depth += 1;
                let list = self.list();
                self.depth -= 1;
                Some(Loose::List(list))
            }
            quote if closing(quote).is_some() => {
                let (text, closed) = self.text(place);
                Some(Loose::Text { text, closed })
            }
            first => {
                let text = self.bare();
                let closed = self.at < self.text.len();
                // Brackets come here where they are nested too deeply.
                let bare = !text.is_empty() && first != '{' && first != '[';
                bare.then_some(Loose::Bare { text, closed })
            }
        }
    }

    /// Behind the opening bracket.
    fn list(&mut self) -> Vec<Loose> {
        let mut items = Vec::new();
        loop {
            self.skip_separators();
            match self.peek() {
                None | Some('}') => return items,
                Some(']') => {
                    self.at += 1;
                    return items;
                }
                Some(_) => match self.value(StringRole::Item) {
                    Some(item) => items.push(item),
                    None => return items,
                },
            }
        }
    }

    /// A quoted text, and whether it was closed.
    fn text(&mut self, place: StringRole) -> (String, bool) {
        let Some(close) = self.peek().and_then(closing) else { return (String::new(), false) };
        self.at += 1;
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            if letter == '\\' {
                self.at += 1;
                self.escape(&mut text);
            } else if letter == close && self.ends_text(self.at + 1, place) {
                self.at += 1;
                return (text, true);
            } else {
                text.push(letter);
                self.at += 1;
            }
        }
        (text, false)
    }

    /// Behind a backslash.
    fn escape(&mut self, text: &mut String) {
        let Some(letter) = self.peek() else { return };
        self.at += 1;
        match letter {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'u' => self.unicode(text),
            '"' | '\\' | '/' | '\'' | '\n' => text.push(letter),
            // Not an escape of JSON: a backslash of LaTeX, for instance, stays.
            other => text.extend(['\\', other]),
        }
    }

    fn unicode(&mut self, text: &mut String) {
        let Some(first) = self.four_digits() else {
            text.push_str("\\u");
            return;
        };
        if let Some(letter) = char::from_u32(first) {
            text.push(letter);
            return;
        }
        // Half of a surrogate pair: the other half must follow.
        let before = self.at;
        if self.peek() == Some('\\') && self.text.get(self.at + 1) == Some(&'u') {
            self.at += 2;
            if let Some(second) = self.four_digits().filter(|second| (0xDC00..0xE000).contains(second))
                && (0xD800..0xDC00).contains(&first)
            {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                text.extend(char::from_u32(code));
                return;
            }
        }
        self.at = before;
        text.push('\u{FFFD}');
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits: String = self.text.get(self.at..self.at + 4)?.iter().collect();
        let code = u32::from_str_radix(&digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }

    /// Whether a quote before `at` closes its text, judged by what follows: a quote inside a text is followed by more
    /// text, not by a separator and the next key.
    fn ends_text(&self, at: usize, place: StringRole) -> bool {
        let at = self.after_space(at);
        match (self.text.get(at), place) {
            (None, _) | (Some(':' | '='), StringRole::Key) => true,
            (Some(_), StringRole::Key) => false,
            (Some('}' | ']'), _) | (Some(','), StringRole::Item) => true,
            (Some(','), StringRole::Value) => {
                let next = self.after_space(at + 1);
                match self.text.get(next) {
                    None | Some('}' | ']') => true,
                    Some(_) => self.is_key(next),
                }
            }
            // A missing comma.
            (Some(_), _) => self.is_key(at),
        }
    }

    /// Whether a key and its colon stand at a place.
    fn is_key(&self, at: usize) -> bool {
        let Some(&first) = self.text.get(at) else { return false };
        let mut at = at;
        if let Some(close) = closing(first) {
            at += 1;
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(length) = rest.iter().take(LONGEST_KEY).position(|&letter| letter == close) else {
                return false;
            };
            at += length + 1;
        } else {
            let rest = self.text.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|&&letter| is_word(letter)).count();
            // A word and a colon inside a sentence ("step 2: …") is no key: bare keys have an underscore or stand
            // behind a line break; both are too weak to tell by, so only words that look like names count.
            if length == 0 || !rest.iter().take(length).any(|&letter| letter == '_') {
                return false;
            }
            at += length;
        }
        self.text.get(self.after_space(at)) == Some(&':')
    }

    fn word(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word: String = rest.iter().take_while(|&&letter| is_word(letter)).collect();
        self.at += word.chars().count();
        word
    }

    /// A value without quotes: up to a comma, a bracket, a comment or the line's end.
    fn bare(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |index: usize| match rest.get(index..index + 2) {
            Some(['/', '/' | '*']) => true,
            _ => rest.get(index).is_none_or(|letter| ",}]\n".contains(*letter)),
        };
        let length = (0..rest.len()).find(|&index| ends(index)).unwrap_or(rest.len());
        let text: String = rest.iter().take(length).collect();
        self.at += length;
        text.trim().to_owned()
    }

    fn skip_space(&mut self) {
        self.at = self.after_space(self.at);
    }

    fn skip_separators(&mut self) {
        loop {
            self.skip_space();
            match self.peek() {
                Some(',' | ';') => self.at += 1,
                _ => return,
            }
        }
    }

    /// Behind blanks and comments.
    fn after_space(&self, mut at: usize) -> usize {
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            match rest {
                [letter, ..] if letter.is_whitespace() => at += 1,
                ['/', '/', ..] => at += rest.iter().take_while(|&&letter| letter != '\n').count(),
                ['/', '*', ..] => {
                    let length = rest.windows(2).position(|pair| pair == ['*', '/']);
                    at += length.map_or(rest.len(), |length| length + 2);
                }
                _ => return at,
            }
        }
    }
}

/// A key is a name; what is longer is a sentence.
const LONGEST_KEY: usize = 64;

/// The quote that closes one that opens.
const fn closing(quote: char) -> Option<char> {
    match quote {
        '"' => Some('"'),
        '\'' => Some('\''),
        '`' => Some('`'),
        '“' => Some('”'),
        '‘' => Some('’'),
        _ => None,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}
