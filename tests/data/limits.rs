//! Chat templates that take too much.

use std::time::{Duration, Instant};

use dojo_studio::data::chat::{ChatTemplate, RenderEnding, SpecialTokens};

use super::world::{assistant, chatml, user};

/// What comes of a template: its text, or why there is none.
fn outcome(source: &str) -> String {
    let begun = Instant::now();
    let template = ChatTemplate::new(source, SpecialTokens::default());
    let rendered =
        template.and_then(|template| template.render(&[user("q"), assistant("a")], RenderEnding::Complete));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    rendered.unwrap_or_else(|error| format!("{error:#}"))
}

#[test]
fn an_expression_that_is_too_long_is_refused_before_it_is_compiled() {
    let long = [
        format!("{{{{ {} }}}}", ["1"; 20_000].join("+")),
        format!("{{{{ {} 1 }}}}", "not ".repeat(10_000)),
        format!("{{{{ 1{} }}}}", "|abs".repeat(10_000)),
        format!("\n{{% if {} %}}{{% endif %}}", "(".repeat(10_000)),
    ];
    for source in long {
        let told = outcome(&source);
        assert!(
            told.ends_with("has an expression of more than 4096 parts, and Dojo takes no longer ones"),
            "{told}"
        );
    }
    let told = outcome(&"x".repeat(300_000));
    assert_eq!(told, "the model's chat template has 300000 bytes, and Dojo takes up to 262144");
}

#[test]
fn long_texts_in_quotes_and_comments_are_no_long_expressions() {
    let words = "a + b ".repeat(3000);
    assert_eq!(outcome(&format!("{{# {words} #}}{{{{ \"{words}\" }}}}")), words);
}

#[test]
fn the_deepest_expressions_that_are_taken_compile() {
    for source in [
        format!("{{{{ {} }}}}", ["1"; 2000].join("+")),
        format!("{{{{ {} 1 }}}}", "not ".repeat(4000)),
        format!("{{{{ 1{} }}}}", "|abs".repeat(2000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(2000), ")".repeat(2000)),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(20_000)),
    ] {
        outcome(&source);
    }
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let endless = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    let told = outcome(endless);
    assert!(told.contains("it doesn't come to an end within the steps that it is given"), "{told}");
}

#[test]
fn a_template_that_takes_all_memory_is_stopped_and_not_run_again() {
    let doubling = "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}";
    let told = outcome(doubling);
    assert!(
        told.starts_with("the model's chat template takes more than 192 MB of memory, and was stopped"),
        "{told}"
    );
    let begun = Instant::now();
    assert_eq!(outcome(doubling), told);
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[test]
fn a_template_that_writes_far_more_than_is_said_is_refused() {
    let told = outcome("{% set x = 'abcdefgh' * 100000 %}{{ x }}{{ x }}{{ x }}");
    assert!(
        told.contains("it writes more than ") && told.ends_with(" bytes, too many for what is said"),
        "{told}"
    );
}

#[test]
fn a_value_that_holds_itself_is_stopped() {
    let told = outcome("{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns|tojson }}");
    assert!(
        told.starts_with("the model's chat template goes deeper than its stack, and was stopped"),
        "{told}"
    );
}

#[test]
fn what_makes_the_interpreter_fail_is_told_in_a_sentence() {
    // An overflow, in builds that look for it.
    let told = outcome("{{ [1, 2, 3][::-9223372036854775808] }}");
    assert!(told.contains("makes its interpreter fail") || !cfg!(debug_assertions), "{told}");
}

#[test]
fn an_indent_that_nobody_wants_is_refused() {
    for width in ["18446744073709551615", "10000000000000", "65"] {
        let told = outcome(&format!("{{{{ messages|tojson(indent={width}) }}}}"));
        assert!(told.contains("tojson takes an indent of up to 64"), "{told}");
    }
}

#[test]
fn a_refusal_in_the_words_of_a_template_is_short_and_plain() {
    let told = outcome("{{ raise_exception('\u{1b}[2J' ~ 'no ' * 100000) }}");
    assert!(told.chars().count() < 500 && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_chat_of_three_thousand_turns_is_rendered() {
    let turns: Vec<_> = (0..1500).flat_map(|turn| [user(&format!("q {turn}")), assistant("yes")]).collect();
    let text = chatml().render(&turns, RenderEnding::Complete).expect("render");
    assert_eq!(text.matches("<|im_end|>").count(), 3001);
}
