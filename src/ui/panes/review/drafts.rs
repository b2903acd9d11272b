//! What is written of a review and not saved: corrections and, one line each, reasons and comments. They are drafts of
//! the session; what is not on the disk yet stays here, whatever the disk says.

use super::{ReviewInputKind, ReviewMode, ReviewPane};
use crate::app::store::Store;
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::review::RevisionMet;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand, ReviewCommand};
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::review::Reviewed;
use crate::ui::pane::{Confirmation, DraftTiming, Effect};
use crate::ui::panes::others;
use crate::ui::widgets::text;

/// Columns of what the other version says.
const SHOWN: usize = 160;

fn send(of: DraftOf, text: Option<&str>, now: f64) -> Effect {
    let kept =
        |text: &str| KeptDraft { base: String::new(), text: text.to_owned(), at: (now * 1000.0) as i64 };
    Effect::Send(Command::Data(DataCommand::KeepDraft(of, text.map(kept))))
}

/// What a line is a draft of, where its words are worth keeping.
const fn place(wanted: ReviewInputKind) -> Option<DraftOf> {
    match wanted {
        ReviewInputKind::Reason(id) => Some(DraftOf::Reason(id)),
        ReviewInputKind::Comment(id) => Some(DraftOf::Comment(id)),
        ReviewInputKind::Filter | ReviewInputKind::Job(_) => None,
    }
}

fn is_on_disk(of: &DraftOf, text: &str, store: &Store) -> bool {
    store.data.drafts.as_ref().and_then(|drafts| drafts.get(of)).is_some_and(|kept| kept.text == text)
}

impl ReviewPane {
    /// What was said of a reflection and not committed.
    pub(super) fn words_left(&self, of: &DraftOf, store: &Store) -> String {
        let kept = || store.data.drafts.as_ref()?.get(of).map(|draft| draft.text.clone());
        self.left.get(of).cloned().or_else(kept).unwrap_or_default()
    }

    /// Keeps the words of the line that is typed.
    pub(super) fn keep_line(&mut self, store: &Store) -> Vec<Effect> {
        let ReviewMode::Line(line) = &self.mode else { return Vec::new() };
        let Some(of) = place(line.wanted) else { return Vec::new() };
        let words = line.text().to_owned();
        if words.trim().is_empty() {
            self.left.remove(&of);
            return vec![send(of, None, store.now)];
        }
        let effect = send(of.clone(), Some(&words), store.now);
        self.left.insert(of, words);
        vec![effect]
    }

    /// What was said of a reflection is committed.
    pub(super) fn forget_line(
        &mut self,
        id: ReflectionId,
        verdict: Verdict,
        store: &Store,
    ) -> Option<Effect> {
        let of = match verdict {
            Verdict::Rejected => DraftOf::Reason(id),
            Verdict::SentBack => DraftOf::Comment(id),
            Verdict::Pending | Verdict::Approved | Verdict::Edited => return None,
        };
        let was = self.left.remove(&of).is_some();
        let kept = store.data.drafts.as_ref().is_some_and(|drafts| drafts.contains_key(&of));
        (was || kept).then(|| send(of, None, store.now))
    }

    /// Begins to edit what is in front: where it was left, or as it is. What isn't read yet is edited once it is.
    pub(super) fn edit(&mut self, store: &Store) -> Vec<Effect> {
        let Some(item) = self.at.and_then(|at| store.review.item(at)).flatten() else {
            self.to_edit = self.at;
            return Vec::new();
        };
        let mut held = self.held.remove(&item.id);
        if let (Some(editor), Some(now)) = (&mut held, &item.reflection) {
            editor.see(now);
        }
        let editor = held.unwrap_or_else(|| Box::new(super::editor::ReflectionEditor::new(item)));
        let words = format!(
            "{} has changed since this draft was begun: saving asks first, alt-o shows it as it is now",
            item.id
        );
        let moved = editor.is_moved().then(|| Effect::Notify(Notice::new(Level::Warning, words)));
        self.mode = ReviewMode::Edit(editor);
        self.show = super::Show::Item;
        moved.into_iter().collect()
    }

    /// Begins to edit what was to be edited before it was read, if it is still in front.
    pub(super) fn edit_what_is_read(&mut self, store: &Store) -> Vec<Effect> {
        match self.to_edit {
            Some(of) if self.at != Some(of) => self.to_edit = None,
            Some(of) if store.review.item(of).is_some() => {
                self.to_edit = None;
                return self.edit(store);
            }
            Some(_) | None => {}
        }
        Vec::new()
    }

    /// Another window's draft of what is written, once it is known of.
    pub(super) fn tell_of_other(&mut self, store: &Store) -> Option<Effect> {
        let open = if let ReviewMode::Edit(editor) = &self.mode { Some(editor.of) } else { None };
        let other = open.filter(|of| store.data.other_drafts.contains_key(&DraftOf::Review(*of)));
        let told = std::mem::replace(&mut self.told_of_other, other);
        other.filter(|_| told != other).and_then(|of| others::notice(store, &DraftOf::Review(of)))
    }

    /// Leaves the editor; what differs from what is saved stays as a draft, and here until that is on the disk.
    pub(super) fn leave_editor(&mut self, store: &Store) -> Vec<Effect> {
        let kept = self.keep_draft(DraftTiming::Now, store);
        if let ReviewMode::Edit(editor) = std::mem::take(&mut self.mode)
            && editor.is_changed()
        {
            self.held.insert(editor.of, editor);
        }
        kept.into_iter().collect()
    }

    /// Keeps what is being written, unless that was done already.
    pub(super) fn keep_draft(&mut self, keep: DraftTiming, store: &Store) -> Option<Effect> {
        let ReviewMode::Edit(editor) = &mut self.mode else { return None };
        if !editor.is_unsent() || (keep == DraftTiming::InPassing && !editor.is_due(store.now)) {
            return None;
        }
        let draft = editor.send_draft(store.now);
        Some(super::act::send(ReviewCommand::KeepDraft(editor.of, draft)))
    }

    /// Keeps everything that is not on the disk, also what was sent there before.
    pub(super) fn keep_all(&mut self, store: &Store) -> Vec<Effect> {
        let open = if let ReviewMode::Edit(editor) = &mut self.mode { Some(editor) } else { None };
        let mut effects = Vec::new();
        for editor in open.into_iter().chain(self.held.values_mut()) {
            let there = store.review.kept_draft(editor.of);
            let same = if editor.is_changed() { editor.is_kept(there) } else { there.is_none() };
            if !same {
                let draft = editor.send_draft(store.now);
                effects.push(super::act::send(ReviewCommand::KeepDraft(editor.of, draft)));
            }
        }
        let lines = self.left.iter().filter(|(of, text)| !is_on_disk(of, text, store));
        effects.extend(lines.map(|(of, text)| send(of.clone(), Some(text), store.now)));
        effects
    }

    /// Lets go here of what is on the disk.
    pub(super) fn release(&mut self, store: &Store) {
        self.held.retain(|of, editor| !editor.is_kept(store.review.kept_draft(*of)));
    }

    /// Whether something was begun of a correction and not saved.
    pub(super) fn has_begun(&self, of: Reviewed, store: &Store) -> bool {
        self.held.contains_key(&of)
            || store.review.item(of).flatten().is_some_and(|item| item.draft.is_some())
    }

    /// What was typed and is on no disk.
    pub(super) fn unsaved_words(&self, store: &Store) -> Option<String> {
        let open = if let ReviewMode::Edit(editor) = &self.mode { Some(editor) } else { None };
        let lost = open
            .into_iter()
            .chain(self.held.values())
            .filter(|editor| editor.is_changed() && !editor.is_kept(store.review.kept_draft(editor.of)));
        let corrections =
            self.saving.iter().chain(lost).map(|editor| format!("the correction of {}", editor.of));
        let lines = self.left.iter().filter(|(of, text)| !is_on_disk(of, text, store));
        let lines = lines.filter_map(|(of, _)| {
            let (DraftOf::Reason(id) | DraftOf::Comment(id)) = of else { return None };
            Some(format!("what is said of reflection {id}"))
        });
        let parts: Vec<String> = corrections.chain(lines).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What was edited stands in another way now: the text comes back, and a person says what becomes of it.
    pub(super) fn ask_to_overwrite(&mut self, met: &RevisionMet, store: &Store) -> Vec<Effect> {
        self.waiting = None;
        let RevisionMet { id, decision, now } = met;
        let mut thought = None;
        if let Some(mut editor) = self.saving.take() {
            if let Some(now) = now {
                thought = editor.becomes(*id, now);
                editor.see(now);
            }
            self.mode = ReviewMode::Edit(editor);
        }
        let Some(now) = now else {
            let words =
                format!("reflection {id} was deleted while you edited it: your text stays in the editor");
            return vec![Effect::Notify(Notice::new(Level::Warning, words))];
        };
        let mut effects = Vec::new();
        if let Some(thought) = thought {
            // What is written is a draft of that correction from here on.
            self.at = Some(Reviewed::Correction(*id));
            effects.extend(self.keep_draft(DraftTiming::Now, store));
            effects.push(super::act::send(ReviewCommand::KeepDraft(Reviewed::Thought(thought), None)));
        }
        let by = if now.reviewer.is_empty() { String::new() } else { format!(" (by {})", now.reviewer) };
        let says = text::shorten(now.text(), SHOWN);
        let revise =
            ReviewCommand::Revise { id: *id, over: Box::new(now.clone()), decision: decision.clone() };
        let other = others::words(store, &DraftOf::Review((*id).into()));
        effects.push(Effect::Ask(Confirmation {
            title: match thought {
                Some(thought) => format!("Thought {thought} was corrected while you wrote: reflection {id}"),
                None => format!("Reflection {id} was changed while you edited it"),
            },
            text: format!(
                "It was changed elsewhere{by}: it is {} now, and says: {says}\nWriting over it puts your text in its \
                 place; u takes that back. Else your text stays in the editor and as a draft.{}",
                now.verdict.name(),
                other.map_or_else(String::new, |words| format!(" {words}."))
            ),
            yes: "write over it".to_owned(),
            then: vec![super::act::send(revise)],
        }));
        effects
    }

    /// A decision on this is on the disk: it is edited no more. What was left of it and says something else stays.
    pub(super) fn close_editor_of(&mut self, id: ReflectionId) {
        let of = Reviewed::Correction(id);
        if matches!(&self.mode, ReviewMode::Edit(editor) if editor.of == of) {
            self.mode = ReviewMode::Look;
        }
    }
}
