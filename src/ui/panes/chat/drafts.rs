//! Texts that were not sent or kept yet: each belongs to its chat and its place there, is kept with every key, and is
//! there again when its place is opened.

use std::collections::{BTreeMap, BTreeSet};

use super::act::say;
use super::composer::Composer;
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat::{ChatId, DraftPlace};
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::{ChatCommand, Command};
use crate::ui::pane::Effect;
use crate::ui::panes::others;

fn keep(chat: Option<ChatId>, place: DraftPlace, text: String) -> Effect {
    Effect::Send(Command::Chat(ChatCommand::KeepDraft { chat, place, text }))
}

impl ChatPane {
    /// The field that has the keyboard, and its place; none where nothing is written.
    pub(super) fn written(&mut self) -> Option<(DraftPlace, &mut Composer)> {
        match &mut self.mode {
            ChatMode::Write => {
                let place = self.editing.map_or(DraftPlace::Question, DraftPlace::Edit);
                Some((place, &mut self.composer))
            }
            ChatMode::System(text) => Some((DraftPlace::System, text)),
            ChatMode::Correct(answer, text) => Some((DraftPlace::Correction(*answer), text)),
            ChatMode::Browse
            | ChatMode::Vote
            | ChatMode::Find
            | ChatMode::Models(_)
            | ChatMode::Sampling(_)
            | ChatMode::Passage(_)
            | ChatMode::History(_)
            | ChatMode::Rename(..) => None,
        }
    }

    /// What a place holds before anything is written there.
    fn base(&self, place: DraftPlace, store: &Store) -> String {
        match place {
            DraftPlace::Question => String::new(),
            DraftPlace::Edit(turn) | DraftPlace::Correction(turn) => {
                store.chats.turn(turn).map(|turn| turn.content.trim_end().to_owned()).unwrap_or_default()
            }
            DraftPlace::System => self.setup.system.clone(),
        }
    }

    /// A field with what was written there before, or with what is there anyway.
    pub(super) fn field(&self, place: DraftPlace, store: &Store) -> Composer {
        let held = self.held.get(&(self.of, place)).map(String::as_str);
        match held.or_else(|| store.chats.draft(self.of, place)) {
            Some(draft) => Composer::new(draft),
            None => Composer::new(&self.base(place, store)),
        }
    }

    /// Keeps what was just written; a text that says nothing new is no draft.
    pub(super) fn keep_draft(&mut self, store: &Store) -> Vec<Effect> {
        let chat = self.of;
        let Some((place, field)) = self.written() else { return Vec::new() };
        let text = field.text();
        let new = !text.trim().is_empty() && text.trim_end() != self.base(place, store).trim_end();
        let text = if new { text } else { String::new() };
        if new {
            self.held.insert((chat, place), text.clone());
        } else {
            self.held.remove(&(chat, place));
        }
        vec![keep(chat, place, text)]
    }

    /// Keeps what is not on the disk yet, once more.
    pub(super) fn keep_held(&self, store: &Store) -> Vec<Effect> {
        self.lost(store).map(|((chat, place), text)| keep(*chat, *place, text.clone())).collect()
    }

    /// What is written and on no disk.
    fn lost(&self, store: &Store) -> impl Iterator<Item = (&(Option<ChatId>, DraftPlace), &String)> {
        self.held
            .iter()
            .filter(|((chat, place), text)| store.chats.draft(*chat, *place) != Some(text.as_str()))
    }

    /// Lets go here of what is on the disk.
    pub(super) fn release(&mut self, store: &Store) {
        self.held.retain(|(chat, place), text| store.chats.draft(*chat, *place) != Some(text.as_str()));
    }

    /// What was typed and is on no disk, in words.
    pub(super) fn unsaved_words(&self, store: &Store) -> Option<String> {
        let words = |place: DraftPlace| match place {
            DraftPlace::Question => "a question in Chat",
            DraftPlace::Edit(_) => "an edited question in Chat",
            DraftPlace::Correction(_) => "the correction of an answer in Chat",
            DraftPlace::System => "a system prompt in Chat",
        };
        let parts: Vec<&str> = self.lost(store).map(|((_, place), _)| words(*place)).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Another draft of what was just opened, where there is one.
    pub(super) fn tell_of_others(&mut self, store: &Store) -> Vec<Effect> {
        let chat = self.of;
        let place = self.written().map(|(place, _)| place);
        let notice = place.and_then(|place| others::notice(store, &DraftOf::Chat(chat, place)));
        notice.into_iter().collect()
    }

    /// Says which chats hold what was written in an earlier time, or in a window that was closed, and not sent. What such
    /// a window left in the open chat is taken into the empty field.
    pub(super) fn tell_of_left(&mut self, store: &Store) -> Vec<Effect> {
        let Some(drafts) = store.data.drafts.as_ref().filter(|_| self.told_of_left < store.data.drafts_read)
        else {
            return Vec::new();
        };
        let again = std::mem::replace(&mut self.told_of_left, store.data.drafts_read) > 0;
        let place =
            |of: &DraftOf| if let DraftOf::Chat(chat, place) = of { Some((*chat, *place)) } else { None };
        let all: BTreeSet<(Option<ChatId>, DraftPlace)> = drafts.keys().filter_map(place).collect();
        // What was begun in this window is no news.
        let own = |at: &(Option<ChatId>, DraftPlace)| {
            self.held.contains_key(at) || store.chats.draft(at.0, at.1).is_some()
        };
        let new: Vec<_> = all.difference(&self.left).copied().filter(|at| !own(at)).collect();
        self.left.extend(all);
        let mut effects = Vec::new();
        if again && new.iter().any(|(chat, _)| *chat == self.of) {
            effects.extend(self.take_over(drafts));
        } else if again && new.iter().any(|(chat, _)| chat.is_none()) {
            effects.push(Effect::Send(Command::Chat(ChatCommand::ReadDrafts(None))));
            effects.push(say(
                "another window was closed: n goes on with the question of a new chat begun there",
            ));
        }
        let others: BTreeSet<ChatId> =
            new.iter().filter_map(|(chat, _)| *chat).filter(|chat| self.of != Some(*chat)).collect();
        let (closed, whose) =
            if again { ("another window was closed: ", "it left") } else { ("", "of yours") };
        match others.len() {
            0 => {}
            1 => effects.push(say(format!("{closed}1 chat has a draft {whose} (✎): h finds it"))),
            many => effects.push(say(format!("{closed}{many} chats have drafts {whose} (✎): h finds them"))),
        }
        effects
    }

    /// What a window that was closed left in the chat that is open here: its question goes on here if nothing is written.
    fn take_over(&mut self, drafts: &BTreeMap<DraftOf, KeptDraft>) -> Vec<Effect> {
        let of = self.of;
        let mut effects = vec![Effect::Send(Command::Chat(ChatCommand::ReadDrafts(of)))];
        let question = drafts.get(&DraftOf::Chat(of, DraftPlace::Question));
        let words = match question.filter(|_| self.editing.is_none() && self.composer.is_blank()) {
            Some(draft) => {
                self.composer = Composer::new(&draft.text);
                self.held.insert((of, DraftPlace::Question), draft.text.clone());
                "another window was closed: the question that was begun there is in the field now"
            }
            None => "another window was closed: what was begun there in this chat is marked ✎",
        };
        effects.push(say(words));
        effects
    }

    /// What was written in a place is sent or kept: its draft goes.
    pub(super) fn drop_draft(&mut self, place: DraftPlace) -> Effect {
        self.held.remove(&(self.of, place));
        keep(self.of, place, String::new())
    }

    /// Leaves a field. What was written is kept, and that is said where it is no longer in sight.
    pub(super) fn leave_field(&mut self, store: &Store) -> Vec<Effect> {
        let chat = self.of;
        let Some((place, field)) = self.written() else { return Vec::new() };
        let text = field.text();
        let new = text.trim_end() != self.base(place, store).trim_end();
        let kept = match store.chats.draft(chat, place) {
            Some(draft) if draft == text => "is kept as a draft",
            Some(_) | None => "stays here, and is a draft once it is on the disk",
        };
        match place {
            DraftPlace::Edit(_) if new => {
                vec![say(format!("the edited question {kept}: e goes on with it"))]
            }
            DraftPlace::Correction(_) if new => {
                vec![say(format!("the correction {kept}: c goes on with it"))]
            }
            DraftPlace::System if new => vec![say(format!("the system prompt {kept}: S goes on with it"))],
            DraftPlace::Question | DraftPlace::Edit(_) | DraftPlace::Correction(_) | DraftPlace::System => {
                Vec::new()
            }
        }
    }

    /// Another chat is open: its own question is in the field now. A question that was begun while the first one of a
    /// new chat was on its way goes along.
    pub(super) fn follow_draft(&mut self, before: Option<ChatId>, store: &Store) -> Vec<Effect> {
        let began = std::mem::take(&mut self.began);
        if began && before.is_none() && !self.composer.is_blank() {
            let text = self.composer.text();
            self.held.remove(&(None, DraftPlace::Question));
            self.held.insert((self.of, DraftPlace::Question), text.clone());
            return vec![
                keep(None, DraftPlace::Question, String::new()),
                keep(self.of, DraftPlace::Question, text),
            ];
        }
        self.editing = None;
        self.composer = self.field(DraftPlace::Question, store);
        Vec::new()
    }

    /// The draft of a new chat, once it was read.
    pub(super) fn take_first_draft(&mut self, store: &Store) {
        if self.awaits_draft && store.chats.drafts.contains_key(&None) {
            self.awaits_draft = false;
            if self.of.is_none() && self.composer.is_blank() {
                self.composer = self.field(DraftPlace::Question, store);
            }
        }
    }
}
