//! How what is written of a record becomes a draft of the session, and an editor again.

use super::act::send;
use super::editor::{EditTarget, RecordEditor};
use crate::domain::change::Body;
use crate::domain::draft::KeptDraft;
use crate::domain::protocol::DataCommand;
use crate::ui::pane::{DraftTiming, Effect};

/// Bytes from which a draft is not kept with every key.
const LONG: usize = 20_000;
/// Seconds between two drafts of a long text.
const PAUSE: f64 = 2.0;

impl RecordEditor {
    /// What was left in an earlier time of the program; nothing where it can't be read.
    pub(super) fn of_draft(target: EditTarget, kept: &KeptDraft) -> Option<Self> {
        let base: Body = serde_json::from_str(&kept.base).ok()?;
        let body: Body = serde_json::from_str(&kept.text).ok()?;
        let mut editor = Self::new(target, base);
        editor.write_anew(&body);
        editor.go_to_written();
        editor.draft = true;
        editor.sent = Some(kept.clone());
        Some(editor)
    }

    /// What would be kept of it: nothing when nothing differs from what it began with.
    fn draft_now(&self, now: f64) -> Option<KeptDraft> {
        if !self.is_changed() {
            return None;
        }
        let base = serde_json::to_string(self.base()).ok()?;
        let text = serde_json::to_string(&self.body()).ok()?;
        Some(KeptDraft { base, text, at: (now * 1000.0) as i64 })
    }

    /// Keeps what was written since the last time, or lets go of the draft when nothing differs any more.
    pub(super) fn send_draft(&mut self, pace: DraftTiming, now: f64) -> Option<Effect> {
        let long = self.sent.as_ref().is_some_and(|sent| sent.text.len() > LONG);
        if !self.touched || (pace == DraftTiming::InPassing && long && now - self.sent_at < PAUSE) {
            return None;
        }
        self.touched = false;
        let draft = self.draft_now(now);
        let same = match (&draft, &self.sent) {
            (Some(new), Some(old)) => new.says(old),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return None;
        }
        (self.sent, self.sent_at) = (draft.clone(), now);
        Some(send(DataCommand::KeepDraft(self.target().draft(), draft)))
    }

    /// Keeps it once more where the disk doesn't have it, whatever was sent there before.
    pub(super) fn send_again(&mut self, there: Option<&KeptDraft>, now: f64) -> Option<Effect> {
        if self.is_kept_as(there) || !self.is_changed() {
            return None;
        }
        (self.touched, self.sent) = (true, None);
        self.send_draft(DraftTiming::Now, now)
    }

    /// Whether the session has all that is written here.
    pub(super) fn is_kept_as(&self, there: Option<&KeptDraft>) -> bool {
        !self.touched && self.sent.as_ref().zip(there).is_some_and(|(own, there)| own.says(there))
    }
}
