//! The pane from top to bottom: who answers, the conversation in one or two columns, the text being written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::below::is_hidden;
use super::composer::Caret;
use super::transcript::{Follow, Scene};
use super::{ChatMode, ChatPane};
use super::{passages, picker};
use crate::domain::chat as domain;
use crate::domain::chat::{AnswererNames, Side, Turn, Vote};
use crate::domain::cited::SourceMark;
use crate::domain::counted::counted;
use crate::ui::layout::centred;
use crate::ui::pane::{Focus, View};
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{empty, float, text};

pub(super) fn draw(pane: &mut ChatPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let Some(_) = &view.store.session else { return };
    let wide = area.width.saturating_sub(2);
    let most = (area.height / 3).max(1);
    let rows = pane.composer.rows(wide.saturating_sub(3)).min(most);
    // A rule, the text, a line of figures.
    let below = rows + 2;
    let upper = Rect { height: area.height.saturating_sub(below), ..area };
    conversation(pane, buffer, upper, view);
    let lower = Rect { y: upper.bottom(), height: area.height - upper.height, ..area };
    written(pane, buffer, lower, rows, view);
    floats(pane, buffer, area, view);
}

fn conversation(pane: &mut ChatPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let store = view.store;
    let Some(chat) = store.chats.open.as_deref() else {
        titles(pane, buffer, area, None, view);
        let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        return nothing_yet(pane, buffer, room, view);
    };
    titles(pane, buffer, area, Some(chat), view);
    let inside = Rect {
        x: area.x + 1,
        y: area.y + 2,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    };
    let two = pane.is_double();
    let whole = inside.width;
    let inside = passages::beside(pane, buffer, inside, view);
    pane.sources_shown = inside.width < whole;
    let width = if two { inside.width.saturating_sub(3) / 2 } else { inside.width };
    let chosen = pane.chosen(store).map(|turn| turn.id);
    let browsing = matches!(pane.mode, ChatMode::Browse | ChatMode::Find);
    let nothing = Highlights::default();
    let sought = pane.find.as_ref().map_or(("", &nothing), |find| (find.text(), &find.highlights));
    for side in Side::BOTH {
        if side == Side::Right && !two {
            continue;
        }
        let x = if side == Side::Left { inside.x } else { inside.x + width + 3 };
        let here = !two || side == pane.side;
        let scene = Scene {
            chats: &store.chats,
            chat,
            outline: &pane.outline,
            theme,
            side,
            chosen: chosen.filter(|_| here && browsing),
            title: title(&pane.setup, side),
            follow: pane.follow,
            sought,
        };
        let column = &mut pane.columns[side as usize];
        column.draw(buffer, Rect { x, width, ..inside }, scene);
    }
    pane.follow = Follow::No;
    if two {
        for y in inside.y..inside.bottom() {
            buffer.set_string(inside.x + width + 1, y, "│", theme.rule);
        }
    }
}

/// Rules with the names of who answers.
fn titles(pane: &ChatPane, buffer: &mut Buffer, area: Rect, chat: Option<&domain::Chat>, view: View<'_>) {
    let theme = view.theme;
    let setup = &pane.setup;
    let width = usize::from(area.width.saturating_sub(2));
    text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
    let hidden = chat
        .and_then(domain::Chat::pair)
        .is_some_and(|(left, _)| chat.is_some_and(|chat| is_hidden(left, chat)));
    let vote = chat.and_then(|chat| {
        chat.pair().and_then(|(left, right)| chat.decisions.votes.get(&(left.id, right.id)))
    });
    let two = setup.right.is_some();
    let half = if two { (area.width.saturating_sub(5)) / 2 } else { area.width };
    for side in Side::BOTH {
        let answerer = match (side, &setup.right) {
            (Side::Left, _) => &setup.left,
            (Side::Right, Some(right)) => right,
            (Side::Right, None) => continue,
        };
        let shown = if two && setup.names == AnswererNames::Hidden {
            written_by(chat, side).filter(|_| !hidden)
        } else {
            None
        };
        let blind = two && setup.names == AnswererNames::Hidden && shown.is_none();
        let mut name = match (blind, side, shown) {
            (true, Side::Left, _) => "left · name hidden".to_owned(),
            (true, Side::Right, _) => "right · name hidden".to_owned(),
            (false, _, Some(by)) => by,
            (false, _, None) if answerer.name.is_empty() => "no model chosen · m chooses one".to_owned(),
            (false, _, None) => answerer.name.clone(),
        };
        let better = match (vote, side) {
            (Some(Vote::Left), Side::Left) | (Some(Vote::Right), Side::Right) => " ✓ better",
            (Some(Vote::Tie), _) => " = as good",
            (Some(Vote::BothBad), _) => " ✗ bad",
            _ => "",
        };
        name.push_str(better);
        let x = if side == Side::Left { area.x + 3 } else { area.x + 1 + half + 3 };
        let room = usize::from(half.saturating_sub(6));
        let focused = view.focus == Focus::Here && (!two || side == pane.side);
        let style = if focused { theme.accent } else { theme.bright };
        text::put(
            buffer,
            x,
            area.y,
            format!(" {} ", text::shorten(&name, room.saturating_sub(2))),
            room,
            style,
        );
    }
    if let Some(said) = facts_above(setup, chat, width) {
        let wide = text::width(&said);
        let x = area.right().saturating_sub(wide as u16 + 3);
        text::put(buffer, x, area.y, said, wide, theme.dim);
    }
}

/// Who wrote the answer at the end of a column.
fn written_by(chat: Option<&domain::Chat>, side: Side) -> Option<String> {
    let chat = chat?;
    let head = chat.heads[side as usize]?;
    chat.turns.get(&head).map(|turn| turn.by.clone()).filter(|by| !by.is_empty())
}

/// Whose name stands above a column; none where names are hidden.
fn title(setup: &domain::Setup, side: Side) -> &str {
    match (side, &setup.right) {
        (_, Some(_)) if setup.names == AnswererNames::Hidden => "",
        (Side::Right, Some(right)) => &right.name,
        _ => &setup.left.name,
    }
}

/// As much of how it answers as has room beside the one name above; nothing beside two.
fn facts_above(setup: &domain::Setup, chat: Option<&domain::Chat>, width: usize) -> Option<String> {
    let room = width.checked_sub(text::width(&setup.left.name) + 12).filter(|_| setup.right.is_none())?;
    let mut facts = facts(setup, chat);
    while !facts.is_empty() {
        let said = format!(" {} ", facts.join(" · "));
        if text::width(&said) < room {
            return Some(said);
        }
        facts.pop();
    }
    None
}

/// How it answers, what must be seen first.
fn facts(setup: &domain::Setup, chat: Option<&domain::Chat>) -> Vec<String> {
    let mut parts: Vec<String> = library_in_words(setup, chat).into_iter().collect();
    if !setup.system.trim().is_empty() {
        parts.push("system prompt".to_owned());
    }
    let sampling = &setup.sampling;
    parts.push(if sampling.temperature <= 0.0 {
        "greedy".to_owned()
    } else {
        format!("temperature {} · seed {}", (sampling.temperature * 1000.0).round() / 1000.0, sampling.seed)
    });
    parts
}

/// `library on · top 5 · 1 pinned`, while questions are answered from it.
fn library_in_words(setup: &domain::Setup, chat: Option<&domain::Chat>) -> Option<String> {
    let marks = chat.map(|chat| chat.decisions.sources.values());
    let marked =
        |wanted: SourceMark| marks.clone().into_iter().flatten().filter(|mark| **mark == wanted).count();
    let counts = [(marked(SourceMark::Pinned), "pinned"), (marked(SourceMark::Excluded), "excluded")];
    let said =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(" · {count} {what}"));
    let said: String = said.collect();
    setup.library.on.then(|| format!("library on · top {}{said}", setup.library.top))
}

fn nothing_yet(pane: &ChatPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let none = view.store.models.as_ref().is_some_and(Vec::is_empty) && pane.setup.left.name.is_empty();
    let without = picker::without_model(view.store);
    let words: &[&str] = if none {
        &[&without]
    } else {
        &[
            "A new chat. What is asked and answered here is kept in the session, with every branch.",
            "⏎ writes, m chooses who answers, s lets two answer side by side, h finds earlier chats.",
            "a keeps a good answer as a record; c keeps a bad one with your correction.",
        ]
    };
    empty::draw(buffer, area, view.theme, "Chat", words);
}

/// A rule, the text that is being written (or the vote), and the line of figures.
fn written(pane: &mut ChatPane, buffer: &mut Buffer, area: Rect, rows: u16, view: View<'_>) {
    let theme = view.theme;
    let width = usize::from(area.width.saturating_sub(2));
    let voting = matches!(pane.mode, ChatMode::Vote);
    let writing = matches!(pane.mode, ChatMode::Write | ChatMode::Find);
    let style = if writing || voting { theme.accent } else { theme.rule };
    text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
    if pane.editing.is_some() {
        buffer.set_string(area.x + 3, area.y, " edited question: sent as a branch ", theme.accent);
    }
    let field = Rect { x: area.x + 3, y: area.y + 1, width: area.width.saturating_sub(5), height: rows };
    pane.composer_area = Rect { x: area.x, y: area.y, width: area.width, height: rows + 1 };
    for y in field.y..field.bottom() {
        buffer.set_string(area.x + 1, y, "▏", style);
    }
    if voting {
        let room = usize::from(field.width);
        let keys = "← left  → right  = as good  x both bad  esc later";
        let words = format!("Which answer is better?  {keys}");
        let words = if text::width(&words) > room { keys } else { &words };
        text::put(buffer, field.x, field.y, words, room, theme.bright);
    } else if let (ChatMode::Find, Some(find)) = (&pane.mode, &mut pane.find) {
        text::put(buffer, field.x, field.y, "/ ", 2, theme.accent);
        find.draw(
            buffer,
            Rect { x: field.x + 2, height: 1, width: field.width.saturating_sub(2), ..field },
            theme,
        );
    } else if pane.composer.is_blank() && !writing {
        text::put(buffer, field.x, field.y, "⏎ to write", usize::from(field.width), theme.dim);
    } else if pane.composer.text().is_empty() {
        pane.composer.draw(buffer, field, theme, Caret::Shown);
        let hint = "type here · ⏎ send · alt-⏎ new line · esc leave";
        text::put(buffer, field.x + 2, field.y, hint, usize::from(field.width.saturating_sub(2)), theme.dim);
    } else {
        let caret = if writing { Caret::Shown } else { Caret::Hidden };
        pane.composer.draw(buffer, field, theme, caret);
    }
    figures(pane, buffer, Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }, view);
}

/// `context 213 of 8,192 · 3%`, and what can be said of the chat.
fn figures(pane: &ChatPane, buffer: &mut Buffer, line: Rect, view: View<'_>) {
    let theme = view.theme;
    let open = view.store.chats.open.as_deref();
    // Where there is no room for it above.
    let above = facts_above(&pane.setup, open, usize::from(line.width.saturating_sub(2)));
    let library = library_in_words(&pane.setup, open).filter(|_| above.is_none());
    let Some(chat) = open else {
        let room = usize::from(line.width.saturating_sub(4));
        text::put(buffer, line.x + 3, line.y, library.unwrap_or_default(), room, theme.dim);
        return;
    };
    let mut wide = 0;
    if let Some((used, context)) = pane.context(view.store) {
        let share = used * 100 / context.max(1);
        let said =
            format!("context {} of {} · {share}%", text::count(used as u64), text::count(context as u64));
        wide = text::width(&said) as u16;
        let style = if share >= 90 { theme.warning } else { theme.dim };
        text::put(buffer, line.right().saturating_sub(wide + 2), line.y, &said, usize::from(wide), style);
    }
    let voted = |pair: &(&Turn, &Turn)| chat.decisions.votes.contains_key(&(pair.0.id, pair.1.id));
    let mut left = counted(pane.path(chat).len() as u64, "turn");
    if let Some(pair) = chat.pair().filter(|pair| !voted(pair)) {
        let done = pair.0.outcome.is_some() && pair.1.outcome.is_some();
        left.push_str(if done { " · b votes" } else { "" });
    }
    if let Some(library) = library {
        left = format!("{library} · {left}");
    }
    let said = match &pane.find {
        Some(find) => format!(" · \"{}\" {}", find.text(), find.said()),
        None if chat.title.is_empty() => String::new(),
        None => format!(" · {}", chat.title),
    };
    left.push_str(&said);
    let room = usize::from(line.width.saturating_sub(wide + 8));
    text::put(buffer, line.x + 3, line.y, &left, room, theme.dim);
}

fn floats(pane: &mut ChatPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    match &mut pane.mode {
        ChatMode::Browse | ChatMode::Write | ChatMode::Vote | ChatMode::Find => {}
        ChatMode::Models(picker) => picker.draw(buffer, area, view),
        ChatMode::Sampling(panel) => panel.draw(buffer, area, theme),
        ChatMode::Passage(passage) => passage.draw(buffer, area, view),
        ChatMode::History(history) => history.draw(buffer, area, view),
        ChatMode::Rename(_, field) => {
            let inside = float::draw(buffer, centred(area, 70, 3), theme, "rename this chat");
            field.draw(buffer, Rect { height: 1.min(inside.height), ..inside }, theme);
        }
        ChatMode::System(text) => {
            let inside = float::draw(buffer, centred(area, 84, 14), theme, "system prompt");
            text.draw(buffer, inside, theme, Caret::Shown);
        }
        ChatMode::Correct(_, text) => {
            let height = area.height.saturating_sub(2).min(24);
            let inside = float::draw(buffer, centred(area, 100, height), theme, "correct this answer");
            text.draw(buffer, inside, theme, Caret::Shown);
        }
    }
}
