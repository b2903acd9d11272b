//! `dojo bench ui`: a chat of 3,000 turns and a table of wide text, with the program's own parts: how long a key takes
//! to the screen.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::bench::{Figure, figure, quantile};
use super::headless::Headless;
use crate::app::sessions;
use crate::config::Folders;
use crate::domain::chat::{AnswerOutcome, Answerer, Setup, Side, Why};
use crate::domain::counted::counted;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;
use crate::session::{NewTurn, Session};

/// The screen: columns and rows.
const SIZE: (u16, u16) = (200, 60);
/// Turns of the long chat.
const TURNS: usize = 3_000;
/// Records of wide text.
const WIDE: usize = 2_000;
/// Keys of each kind.
const SAMPLES: usize = 200;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fills a session with both, opens it in the studio, and types, scrolls and searches.
///
/// # Errors
/// Where the session can't be written, or the studio never shows what it should.
pub fn measure(folders: &Folders) -> Result<Vec<Figure>> {
    let info = sessions::create(folders, "bench-chat")?;
    let mut session = Session::create(&info.path)?;
    fill_chat(&mut session)?;
    session.add("bench", (0..WIDE).map(wide_record).collect())?;
    drop(session);
    let mut studio = Headless::start(folders, Some(info), SIZE)?;
    let mut figures = long_chat(&mut studio)?;
    figures.extend(wide_text(&mut studio)?);
    Ok(figures)
}

fn long_chat(studio: &mut Headless) -> Result<Vec<Figure>> {
    studio.keys("4 h")?;
    studio.wait_for(&counted(TURNS as u64, "turn"), PATIENCE)?;
    let opening = Instant::now();
    studio.press("enter")?;
    studio.wait_for(&last_words(), PATIENCE)?;
    let opened = opening.elapsed();
    studio.press("enter")?;
    let mut typed = times(studio, &["a", "b", "space", "c"])?;
    studio.press("esc")?;
    let mut scrolled = times(studio, &["pageup", "up", "pageup", "pagedown", "home", "down", "end"])?;
    studio.press("/")?;
    let mut sought = Vec::new();
    for key in ["n", "u", "m", "b", "e", "r", "down", "up", "down", "backspace"] {
        sought.push(studio.press(key)?);
    }
    studio.press("esc")?;
    Ok(vec![
        figure("a chat of 3,000 turns, from its key to its last turn", opened, 500.0),
        figure("a chat of 3,000 turns, a key typed, p99", quantile(&mut typed, 0.99), 20.0),
        figure(
            "a chat of 3,000 turns, scrolled and walked through, p99",
            quantile(&mut scrolled, 0.99),
            20.0,
        ),
        figure("a chat of 3,000 turns, a key of a search, slowest", quantile(&mut sought, 1.0), 50.0),
    ])
}

/// The table and the record beside it, of Chinese, pictures, marks and long words.
fn wide_text(studio: &mut Headless) -> Result<Vec<Figure>> {
    studio.press("1")?;
    studio.wait_until(PATIENCE, |studio| studio.store().data.row(0).is_some())?;
    let mut times = times(studio, &["down", "pagedown", "up", "end", "pageup", "home"])?;
    Ok(vec![figure("a table of wide text, key to screen, p99", quantile(&mut times, 0.99), 50.0)])
}

/// What keys take, one after the other, until each was pressed often enough.
fn times(studio: &mut Headless, keys: &[&str]) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(SAMPLES);
    for key in keys.iter().cycle().take(SAMPLES) {
        times.push(studio.press(key)?);
        // What comes back (a draft on disk, rows of the table) is taken in as on a real screen.
        studio.take_in();
    }
    Ok(times)
}

fn last_words() -> String {
    format!("This was answer number {}.", TURNS - 1)
}

fn fill_chat(session: &mut Session) -> Result<()> {
    let answerer = Answerer { name: "bench".to_owned(), ..Answerer::default() };
    let chat = session.begin_chat("A very long talk", &Setup { left: answerer, ..Setup::default() })?;
    let outcome = AnswerOutcome {
        why: Why::End,
        prompt_tokens: 100,
        cached_tokens: 0,
        tokens: 80,
        tokens_per_second: 40.0,
        first_token_seconds: 0.1,
        context: 1_000_000,
    };
    let mut parent = None;
    for number in 0..TURNS {
        let asks = number % 2 == 0;
        let (role, content) =
            if asks { (Role::User, question(number)) } else { (Role::Assistant, answer(number)) };
        let by = if asks { String::new() } else { "bench".to_owned() };
        let turn = session.add_turn(chat, &NewTurn { parent, role, side: Side::Left, content, by })?;
        if !asks {
            session.end_turn(turn.id, &turn.content, &outcome)?;
        }
        parent = Some(turn.id);
    }
    session.set_heads(chat, [parent, None])?;
    Ok(())
}

fn question(number: usize) -> String {
    format!(
        "Question {number}: what follows from the last answer, and why does it matter to what we began with?"
    )
}

fn answer(number: usize) -> String {
    format!(
        "It follows that **most** of what was said holds, with `one` exception:\n\n- the first part, which is long \
         enough to be broken into rows on a screen of any size that one still calls a screen\n  - 日本語の文も折り返される\n\n\
         ```python\ndef answer(x):\n    return x + {number}\n```\n\nThis was answer number {number}."
    )
}

fn wide_record(number: usize) -> Record {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    let prompt = format!(
        "第{number}問：{family} この長い文章はどこで折り返されるでしょうか。{}",
        "長い文章".repeat(40)
    );
    let answer = format!("e\u{301}{} नमस्ते {family} {}", "答え".repeat(400), "w".repeat(2_000));
    Record {
        messages: vec![Message::new(Role::User, prompt), Message::new(Role::Assistant, answer)],
        ..Record::default()
    }
}
