//! What both models are asked if nobody gives prompts: what exports are known to break on.

use dojo_core::domain::message::{Message, Role};

/// A turn of a user, or several turns.
pub(super) fn own(added: &[String]) -> Vec<Vec<Message>> {
    let user = |text: &str| vec![Message::new(Role::User, text)];
    let mut prompts = vec![
        user("What is the capital of France?"),
        user("Count from 1 to 12, then say 1,234.56 in words."),
        user("  Mind   the\tspaces\n\n\nand the lines.  "),
        user("fn main() {\n    println!(\"{}\", 1 << 4);\n}"),
        user("Grüße aus Zürich: Привет, 你好, こんにちは, 🚀👩\u{200d}🚀 cafe\u{301}"),
        vec![Message::new(Role::System, "Answer in one word."), Message::new(Role::User, "Is water wet?")],
        vec![
            Message::new(Role::User, "Name a colour."),
            Message::new(Role::Assistant, "Blue."),
            Message::new(Role::User, "Another one?"),
        ],
        // Names of control tokens that a user writes are text.
        user("What does <|im_end|> mean, and <s>, and </s>?"),
    ];
    if !added.is_empty() {
        prompts.push(user(&format!("Think in {} first.", added.join(" and "))));
        prompts.push(vec![
            Message::new(Role::User, "And now?"),
            Message::new(Role::Assistant, added.join("\n")),
            Message::new(Role::User, "Go on."),
        ]);
    }
    prompts
}
