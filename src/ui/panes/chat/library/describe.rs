//! What a person says of a document: a sentence that is found and shown with it, and its tags.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::protocol::LibraryCommand;
use crate::domain::retrieval::DocumentRow;
use crate::ui::layout::centred;
use crate::ui::pane::{Input, View};
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{float, text};

/// Which of the two is typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DescriptionField {
    Context,
    Tags,
}

/// The form while it is open.
#[derive(Debug)]
pub(super) struct Description {
    source: String,
    title: String,
    context: TextField,
    tags: TextField,
    field: DescriptionField,
    /// Both as they were.
    before: (String, String),
}

impl Description {
    pub(super) fn of(row: &DocumentRow) -> Self {
        let mut context = TextField::new("what it is, in a sentence: papers on retrieval, 2025");
        let mut tags = TextField::new("tags, parted by commas");
        let before = (row.context.clone().unwrap_or_default(), row.tags.join(", "));
        context.paste(&before.0);
        tags.paste(&before.1);
        Self {
            source: row.source.clone(),
            title: row.title.clone(),
            context,
            tags,
            field: DescriptionField::Context,
            before,
        }
    }

    pub(super) const fn turn(&mut self) {
        self.field = match self.field {
            DescriptionField::Context => DescriptionField::Tags,
            DescriptionField::Tags => DescriptionField::Context,
        };
    }

    pub(super) fn input(&mut self, input: &Input) {
        let field = match self.field {
            DescriptionField::Context => &mut self.context,
            DescriptionField::Tags => &mut self.tags,
        };
        match input {
            Input::Key(key) => field.key(*key),
            Input::Paste(text) => field.paste(text),
        }
    }

    fn is_as_before(&self) -> bool {
        (self.context.text(), self.tags.text()) == (self.before.0.as_str(), self.before.1.as_str())
    }

    pub(super) fn unsaved(&self) -> Option<String> {
        (!self.is_as_before()).then(|| format!("what is said of {}", self.title))
    }

    /// What keeps it; nothing if nothing was changed.
    pub(super) fn command(&self) -> Option<LibraryCommand> {
        if self.is_as_before() {
            return None;
        }
        let context = self.context.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let mut tags: Vec<String> = Vec::new();
        for tag in self.tags.text().split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.to_owned());
            }
        }
        let context = Some(context).filter(|context| !context.is_empty());
        Some(LibraryCommand::Describe { source: self.source.clone(), context, tags })
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let title = format!("what {} is", text::shorten(&self.title, 50));
        let inside = float::draw(buffer, centred(area, 84, 8), theme, &title);
        let line = |y: u16| Rect {
            x: inside.x + 9,
            y: inside.y + y,
            width: inside.width.saturating_sub(9),
            height: 1.min(inside.height.saturating_sub(y)),
        };
        let here = self.field;
        let style = |field| if field == here { theme.accent } else { theme.dim };
        text::put(buffer, inside.x, inside.y, "context", 8, style(DescriptionField::Context));
        text::put(buffer, inside.x, inside.y + 2, "tags", 8, style(DescriptionField::Tags));
        match here {
            DescriptionField::Context => {
                self.context.draw(buffer, line(0), theme);
                text::put(
                    buffer,
                    line(2).x,
                    line(2).y,
                    self.tags.text(),
                    usize::from(line(2).width),
                    theme.text,
                );
            }
            DescriptionField::Tags => {
                text::put(
                    buffer,
                    line(0).x,
                    line(0).y,
                    self.context.text(),
                    usize::from(line(0).width),
                    theme.text,
                );
                self.tags.draw(buffer, line(2), theme);
            }
        }
        let said = "The context is embedded and counted with every passage; tags only filter.";
        if inside.height > 4 {
            text::put(buffer, inside.x, inside.y + 4, said, usize::from(inside.width), theme.dim);
        }
    }
}
