use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::filter::{
    Bounds, Edge, Filter, NumberField, Term, Vocabulary, WordEnd, Words, complete, goes_on, parse,
    passed_over, so_far,
};
use dojo_studio::domain::record::{RecordId, Status};
use dojo_studio::domain::view::SortOrder;
use proptest::prelude::*;

use super::world::{World, labelled, pair, read};

fn words(text: &str) -> Filter {
    Filter::Term(Term::Text(Words { text: text.to_owned(), end: WordEnd::Whole }))
}

#[test]
fn terms_beside_each_other_must_all_hold() {
    let above = Bounds { low: Some(Edge::Excluded(300.0)), high: None };
    let expected = Filter::And(vec![
        Filter::Term(Term::Status(vec![Status::Approved])),
        Filter::Term(Term::Number(NumberField::Tokens, above)),
        Filter::Not(Box::new(Filter::Term(Term::Tag(Some("physics".to_owned()))))),
        words("broadcast domain"),
    ]);
    assert_eq!(parse("status:approved tokens>300 -tag:physics \"broadcast domain\""), Ok(expected));
}

#[test]
fn an_empty_line_means_everything() {
    assert_eq!(parse("   "), Ok(Filter::Everything));
}

#[test]
fn alternatives_bind_less_than_neighbours() {
    let expected = Filter::Or(vec![Filter::And(vec![words("a"), words("b")]), words("c")]);
    assert_eq!(parse("a b OR c"), Ok(expected));
    let grouped = Filter::And(vec![words("a"), Filter::Or(vec![words("b"), words("c")])]);
    assert_eq!(parse("a (b OR c)"), Ok(grouped));
}

#[test]
fn spaces_around_a_sign_after_a_field_s_name_don_t_make_three_words_of_it() {
    for line in ["tokens > 300", "tokens >300", "tokens> 300", "Tokens  >  300"] {
        assert_eq!(parse(line), parse("tokens>300"), "{line}");
    }
    assert_eq!(parse("tag : a b"), parse("tag:a b"));
    assert_eq!(parse("rows > 300"), Ok(Filter::And(["rows", ">", "300"].map(words).to_vec())));
}

#[test]
fn keywords_and_names_of_fields_count_in_any_case_and_bars_are_alternatives() {
    for line in ["a b OR c", "a b or c", "a b | c", "a b|c", "a and b or c", "a && b || c", "a AND b Or c"] {
        assert_eq!(parse(line), parse("a b OR c"), "{line}");
    }
    for line in ["tag:a OR tag:b", "tag:a|b", "TAG:a,b", "tag:a|tag:b", "tag:a | Tag:b", "tag=a or tag==b"] {
        assert_eq!(parse(line), parse("tag:a OR tag:b"), "{line}");
    }
    for line in ["-status:new", "not status:new", "NOT Status:NEW", "status!=new"] {
        assert_eq!(parse(line), parse("-status:new"), "{line}");
    }
    assert_eq!(parse("label:a|b"), parse("label:a,b"));
    assert_eq!(parse("\"or\" \"not\" \"a|b\""), Ok(Filter::And(["or", "not", "a|b"].map(words).to_vec())));
    assert_eq!(
        parse("order nothing android"),
        Ok(Filter::And(["order", "nothing", "android"].map(words).to_vec()))
    );
    assert_eq!(parse("/a|b/").map(|filter| filter.highlights().len()), Ok(1));
}

#[test]
fn a_column_of_any_name_is_filtered_by() {
    let column = Term::Field { column: "two: words".to_owned(), value: "a b".to_owned() };
    assert_eq!(parse("field.\"two: words\":\"a b\""), Ok(Filter::Term(column)));
    let upper = Term::Field { column: "Kind".to_owned(), value: "X".to_owned() };
    assert_eq!(parse("field.Kind:X"), Ok(Filter::Term(upper)), "data keeps its case");
}

#[test]
fn an_error_points_at_what_is_wrong() {
    let pointed = |line: &str| parse(line).expect_err("a wrong filter").pointed(line);
    insta::assert_snapshot!(
        [
            "statsu:new",
            "status:good",
            "tokens>many label:1",
            "tag:a \"open",
            "a /b(/ c",
            "(a OR b",
            "a ) b",
            "label:",
            "a OR",
            "- x",
            "foo:bar",
            "tag>3",
            "é tokens>x",
            "or a",
            "a |",
            "do not",
            "field.\"a b\"",
        ]
        .map(pointed)
        .join("\n\n")
    );
}

#[test]
fn suggestions_fit_what_is_typed() {
    let vocabulary = Vocabulary {
        tags: vec!["physics".to_owned(), "two words".to_owned()],
        labels: vec!["0".to_owned()],
        columns: vec!["kind".to_owned(), "two words".to_owned()],
        values: vec![("kind".to_owned(), vec!["original".to_owned()])],
        ..Vocabulary::default()
    };
    let offered = |line: &str| {
        complete(line, line.len(), &vocabulary)
            .into_iter()
            .map(|suggestion| format!("{}{}", &line[..suggestion.span.start], suggestion.text))
            .collect::<Vec<_>>()
    };
    assert_eq!(offered("status:a"), ["status:approved"]);
    assert_eq!(offered("-ta"), ["-tag:", "-status:"]);
    assert_eq!(offered("status:new tag:t"), ["status:new tag:\"two words\""]);
    assert_eq!(offered("label:"), ["label:0", "label:none"]);
    assert_eq!(offered("field.k"), ["field.kind:"]);
    assert_eq!(offered("field.kind:o"), ["field.kind:original"]);
    assert_eq!(offered("two"), ["field.\"two words\":"]);
    assert_eq!(offered("TAG:phy"), ["TAG:physics"]);
    assert_eq!(offered("a|lab"), ["a|label:"]);
    assert_eq!(offered("tag:x|phy"), ["tag:x|physics"]);
    assert_eq!(offered("")[..2], ["status:", "split:"]);
    assert_eq!(offered("\"tag"), Vec::<String>::new());
}

#[test]
fn each_field_finds_its_records() {
    let mut second = labelled("the broadcast domain of a switch", "1");
    second.split = Some("train".to_owned());
    second.tags.insert("networks".to_owned());
    second.fields.insert("kind".to_owned(), "revised".into());
    let mut third = labelled("Entropy, explained", "not entailed");
    third.status = Status::Approved;
    third.provenance.source = "folder/other.csv".to_owned();
    let world = World::with(vec![pair("a domain to broadcast", "x"), second, third]);
    for (filter, expected) in [
        ("", vec![1, 2, 3]),
        ("status:approved", vec![3]),
        ("-status:approved", vec![1, 2]),
        ("label:1", vec![2]),
        ("label:1,none", vec![1, 2]),
        ("-label:1", vec![1, 3]),
        ("label:\"not entailed\"", vec![3]),
        ("split:train", vec![2]),
        ("split:none", vec![1, 3]),
        ("tag:networks", vec![2]),
        ("tag:none", vec![1, 3]),
        ("tag:absent", vec![]),
        ("source:OTHER", vec![3]),
        ("field.kind:revised", vec![2]),
        ("turns:2", vec![1, 2, 3]),
        ("chars>25", vec![2, 3]),
        ("id:2..3", vec![2, 3]),
        ("\"broadcast domain\"", vec![2]),
        ("broadcast domain", vec![1, 2]),
        ("broad*", vec![1, 2]),
        ("broad", vec![]),
        ("ENTROPY", vec![3]),
        ("-entropy", vec![1, 2]),
        ("/domain of\\b/", vec![2]),
        ("/entropy/", vec![]),
        ("/entropy/i", vec![3]),
        ("entropy OR label:1", vec![2, 3]),
        ("is:labelled -is:tagged", vec![3]),
        ("\", \"", vec![3]),
        ("tokens>3", vec![]),
        ("-tokens>3", vec![1, 2, 3]),
    ] {
        assert_eq!(world.ids(filter), expected, "{filter}");
    }
}

#[test]
fn records_whose_edit_was_begun_are_found_until_it_is_let_go() {
    let mut world = World::with(vec![labelled("a", "1"), labelled("b", "1")]);
    assert_eq!(world.ids("is:draft"), Vec::<i64>::new());
    let kept = KeptDraft { base: "{}".into(), text: "{}".into(), at: 7 };
    let of = DraftOf::Record(RecordId(2));
    world.session.keep_draft(&of, Some(&kept)).expect("kept");
    world.session.keep_draft(&DraftOf::NewRecord, Some(&kept)).expect("kept");
    assert_eq!((world.ids("is:draft"), world.ids("-is:draft")), (vec![2], vec![1]));
    world.session.keep_draft(&of, None).expect("let go");
    assert_eq!(world.ids("is:draft"), Vec::<i64>::new());
}

proptest! {
    #[test]
    fn no_line_makes_the_parser_panic_and_errors_stay_within_it(line in "\\PC{0,60}|[a-z:\"/()<>=\\-\\\\ OR]{0,40}") {
        if let Err(error) = parse(&line) {
            prop_assert!(line.get(error.span.clone()).is_some());
            prop_assert!(error.pointed(&line).contains("^"));
        }
        for cursor in 0..=line.len() {
            prop_assert!(complete(&line, cursor, &Vocabulary::default()).len() <= 12);
        }
    }

    #[test]
    fn no_filter_reaches_the_database_as_sql(line in "(tag:|label:|source:|field\\.x:|)[\"'%;()*a-z\\- ]{1,30}") {
        thread_local! {
            static WORLD: World = World::with(vec![pair("one", "two"), pair("three", "four")]);
        }
        if let Ok(filter) = parse(&line) {
            WORLD.with(|world| {
                let view = world.session.view(&filter, SortOrder::default());
                prop_assert!(view.is_ok(), "{line}: {:?}", view.err());
                prop_assert_eq!(world.ids(""), vec![1, 2]);
                Ok(())
            })?;
        }
    }
}

#[test]
fn deep_parentheses_are_refused_instead_of_exhausting_the_stack() {
    let line = "(".repeat(100_000);
    let error = parse(&line).expect_err("too deep");
    assert_eq!(error.message, "too many parentheses within each other");
    assert_eq!(read(&format!("{}a{}", "(".repeat(60), ")".repeat(60))), words("a"));
}

#[test]
fn signs_that_a_search_passes_over_are_named_with_the_pattern_that_finds_them() {
    let said = |line: &str| passed_over(&parse(line).expect("a filter"));
    let words = said("100%").expect("a sentence");
    assert!(words.contains("100% finds \"100\"") && words.contains("/100%/"), "{words}");
    assert!(said("tag:x (a OR -C++)").expect("a sentence").contains(r"/C\+\+/"));
    assert!(said("\"1/2 cup\"").expect("a sentence").contains(r"/1\/2 cup/"));
    for line in ["100", "two words", "therm*", "/100%/", "tag:50%", ""] {
        assert_eq!(said(line), None, "{line}");
    }
    // The pattern that is named finds what it says.
    let mut world = World::new();
    world.session.add("begin", vec![pair("a", "100%"), pair("b", "100 of them")]).expect("records");
    let found = |line: &str| {
        let filter = parse(line).expect("a filter");
        world.session.view(&filter, SortOrder::default()).expect("a view").len()
    };
    assert_eq!((found("100%"), found("/100%/")), (2, 1));
}

#[test]
fn a_filter_half_typed_means_what_its_whole_words_mean_and_is_told_from_a_wrong_one() {
    let half = [
        ("a OR", "a"),
        ("a OR ", "a"),
        ("a |", "a"),
        ("a OR (", "a"),
        ("a OR (b", "a OR (b)"),
        ("a OR (b OR", "a OR b"),
        ("a -", "a"),
        ("a NOT", "a"),
        ("a -(", "a"),
        ("a -(b", "a -b"),
        ("tag:a,", "tag:a"),
        ("x tag:", "x"),
        ("x tokens>", "x"),
        ("x \"two wo", "x \"two wo\""),
        ("x (\"two", "x (\"two\")"),
        ("x \"", "x"),
        ("(", ""),
        ("-", ""),
        ("-(", ""),
        ("OR", ""),
    ];
    for (typed, means) in half {
        let error = parse(typed).expect_err(typed);
        assert!(goes_on(typed, &error), "{typed}");
        assert_eq!(so_far(typed), parse(means).expect(means), "{typed}");
    }
    for wrong in ["statsu:new a", "a ) b", "status:odd a"] {
        assert!(!goes_on(wrong, &parse(wrong).expect_err(wrong)), "{wrong}");
    }
    for whole in ["a", "a OR b", "tag:a (b c)", ""] {
        assert_eq!(so_far(whole), parse(whole).expect(whole), "{whole}");
    }
}
