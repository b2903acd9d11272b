//! From a terminal's bytes to keys. What is no UTF-8 becomes U+FFFD, a sequence that nobody knows is passed over.

use tui_textarea::{Input, Key as Name};

/// What was pressed or pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyPress {
    /// Letters in one go.
    Text(String),
    /// A bracketed paste, its lines ended by line feeds.
    Pasted(String),
    Enter,
    /// Enter that always begins a line: with Alt.
    Line,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    End,
    /// Ctrl-L.
    Redraw,
    /// Keys that an editor knows.
    Edit(Input),
    Older,
    Newer,
}

/// Bytes that were read and are no whole key yet.
#[derive(Default)]
pub(super) struct KeyDecoder {
    bytes: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    /// Whether bytes were no UTF-8.
    pub(super) replaced: bool,
}

/// Ctrl-C and Ctrl-D.
const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;

const PASTE: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// Bytes of a sequence at most: a longer one is none.
const SEQUENCE: usize = 32;

impl KeyDecoder {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether there are bytes that `next` has not used.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether what comes next is text, and no key that does something with it.
    pub(super) fn begin_with_text(&self) -> bool {
        let is_text = |byte: &u8| matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~' | 0x80..);
        self.bytes.first().is_some_and(is_text) || self.bytes.starts_with(PASTE)
    }

    /// The next key; none until more bytes come. With `all`, no more will: a lone escape is one.
    pub(super) fn next(&mut self, all: bool) -> Option<KeyPress> {
        loop {
            let first = *self.bytes.first()?;
            let after_return = std::mem::replace(&mut self.after_return, first == b'\r');
            let key = match first {
                b'\n' if after_return => {
                    self.take(1);
                    continue;
                }
                b'\r' | b'\n' => {
                    self.take(1);
                    KeyPress::Enter
                }
                0x1b if self.bytes.starts_with(PASTE) => return self.paste(),
                0x1b => match self.sequence(all)? {
                    Some(key) => key,
                    None => continue,
                },
                b'\t' | b' '..=b'~' | 0x80.. => return self.text(all),
                control => {
                    self.take(1);
                    control_key(control)
                }
            };
            return Some(key);
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        self.bytes.drain(..count.min(self.bytes.len())).collect()
    }

    fn paste(&mut self) -> Option<KeyPress> {
        let from = PASTE.len();
        let Some(length) = memchr::memmem::find(self.bytes.get(from..)?, PASTE_ENDS) else {
            return self.broken_paste(from);
        };
        let taken = self.take(from + length + PASTE_ENDS.len());
        Some(self.pasted(taken.get(from..from + length).unwrap_or_default()))
    }

    /// A paste whose end never came: who presses Ctrl-C, or ends the input, gets what there is, and the key.
    fn broken_paste(&mut self, from: usize) -> Option<KeyPress> {
        let pasted = self.bytes.get(from..)?;
        let is_last = |byte: &&u8| matches!(**byte, INTERRUPT | END_OF_INPUT);
        let keys = pasted.iter().rev().take_while(is_last).count();
        if keys == 0 {
            return None;
        }
        let taken = self.take(self.bytes.len() - keys);
        Some(self.pasted(taken.get(from..).unwrap_or_default()))
    }

    fn pasted(&mut self, bytes: &[u8]) -> KeyPress {
        KeyPress::Pasted(self.read(bytes).replace("\r\n", "\n").replace('\r', "\n"))
    }

    fn read(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        self.replaced |= matches!(text, std::borrow::Cow::Owned(_));
        text.into_owned()
    }

    /// Letters up to the next control; of a character that has begun the rest is waited for.
    fn text(&mut self, all: bool) -> Option<KeyPress> {
        let is_text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        let mut count = self.bytes.iter().position(|byte| !is_text(byte)).unwrap_or(self.bytes.len());
        if count == self.bytes.len() && !all {
            count -= unfinished(&self.bytes);
        }
        if count == 0 {
            return None;
        }
        let taken = self.take(count);
        Some(KeyPress::Text(self.read(&taken)))
    }

    /// What begins with an escape. Outer none: more bytes have to come; inner none: nobody knows it.
    #[expect(
        clippy::option_option,
        reason = "to wait for more and to pass over what nobody knows are two things"
    )]
    fn sequence(&mut self, all: bool) -> Option<Option<KeyPress>> {
        let second = match self.bytes.get(1) {
            None if !all => return None,
            None => {
                self.take(1);
                return Some(None);
            }
            Some(second) => *second,
        };
        match second {
            b'[' | b'O' => {
                let is_end = |byte: &u8| (0x40..=0x7e).contains(byte);
                let Some(length) = self.bytes.get(2..)?.iter().position(is_end) else {
                    if !all && self.bytes.len() < SEQUENCE {
                        return None;
                    }
                    self.take(2);
                    return Some(None);
                };
                let taken = self.take(length + 3);
                let body = String::from_utf8_lossy(taken.get(2..).unwrap_or_default()).into_owned();
                Some(named(&body))
            }
            b'\r' | b'\n' => {
                self.take(2);
                Some(Some(KeyPress::Line))
            }
            0x7f => {
                self.take(2);
                Some(Some(edit(Name::Backspace, false, true)))
            }
            b'b' | b'f' | b'd' => {
                self.take(2);
                Some(Some(edit(Name::Char(char::from(second)), false, true)))
            }
            _ => {
                // An escape before anything else is passed over, and what follows is read by itself.
                self.take(1);
                Some(None)
            }
        }
    }
}

/// Bytes at the end that are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(4);
    let last = bytes.get(tail..).unwrap_or_default();
    let Some(at) = last.iter().rposition(|byte| *byte >= 0xc0) else { return 0 };
    let wanted = match last.get(at) {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    let here = last.len() - at;
    let continues =
        last.get(at + 1..).is_some_and(|rest| rest.iter().all(|byte| (0x80..0xc0).contains(byte)));
    if here < wanted && continues { here } else { 0 }
}

const fn edit(key: Name, ctrl: bool, alt: bool) -> KeyPress {
    KeyPress::Edit(Input { key, ctrl, alt, shift: false })
}

fn control_key(byte: u8) -> KeyPress {
    match byte {
        0x03 => KeyPress::Interrupt,
        0x04 => KeyPress::End,
        0x0c => KeyPress::Redraw,
        0x10 => KeyPress::Older,
        0x0e => KeyPress::Newer,
        0x08 | 0x7f => edit(Name::Backspace, false, false),
        // What shells do: to the line's beginning. The editor's own key for it is another.
        0x15 => edit(Name::Char('j'), true, false),
        0x1f => edit(Name::Char('u'), true, false),
        0x01..=0x1a => edit(Name::Char(char::from(byte + b'a' - 1)), true, false),
        _ => edit(Name::Null, false, false),
    }
}

/// A sequence by what follows its beginning.
fn named(body: &str) -> Option<KeyPress> {
    let (parameters, end) = body.split_at_checked(body.len().checked_sub(1)?)?;
    let modifier: u8 = parameters.split_once(';').and_then(|(_, number)| number.parse().ok()).unwrap_or(1);
    let bits = modifier.saturating_sub(1);
    let (alt, ctrl) = (bits & 2 != 0, bits & 4 != 0);
    let number = parameters.split(';').next().unwrap_or_default();
    let name = match (end, number) {
        ("A", _) => return Some(KeyPress::Older),
        ("B", _) => return Some(KeyPress::Newer),
        ("C", _) => Name::Right,
        ("D", _) => Name::Left,
        ("H", _) | ("~", "1" | "7") => Name::Home,
        ("F", _) | ("~", "4" | "8") => Name::End,
        ("~", "3") => Name::Delete,
        _ => return None,
    };
    Some(KeyPress::Edit(Input { key: name, ctrl, alt, shift: false }))
}
