//! The index of near-duplicates that texts are looked up in as they come.

use dojo_studio::data::check::NearIndex;
use dojo_studio::domain::record::RecordId;

const TEXT: &str = "A subnet is a range of addresses that share a route, and it is cut so that each zone has its own: \
                    what is public goes through a gateway, and what is private only answers to what is inside.";

fn index(texts: &[&str]) -> NearIndex {
    let mut index = NearIndex::new(0.8);
    let texts: Vec<(RecordId, String)> =
        (1..).map(RecordId).zip(texts.iter().map(|text| (*text).to_owned())).collect();
    index.add_all(&texts);
    index
}

#[test]
fn a_text_that_differs_by_a_word_is_found_and_another_is_not() {
    let index = index(&["Yeast makes gas and gluten holds it while the oven is still heating up.", TEXT]);
    let near = index.find(&TEXT.replace("gateway", "router")).expect("a near-duplicate");
    assert_eq!(near.owner, RecordId(2));
    assert!((0.8..1.0).contains(&near.likeness), "{}", near.likeness);
    assert_eq!(index.find(TEXT).map(|near| near.likeness), Some(1.0));
    assert_eq!(
        index.find("A router forwards packets by the longest prefix that fits their destination."),
        None
    );
}

#[test]
fn what_is_added_later_is_found_too_and_texts_without_words_are_like_nothing() {
    let mut index = index(&["one two three four five six"]);
    assert_eq!(index.find(TEXT), None);
    index.add(RecordId(9), TEXT);
    index.add(RecordId(10), "…");
    assert_eq!(index.find(TEXT).map(|near| near.owner), Some(RecordId(9)));
    assert_eq!(index.find("… !"), None);
    assert_eq!(index.len(), 2);
}

#[test]
fn many_texts_with_the_same_boilerplate_end_a_lookup() {
    let boilerplate = "Write down what you know about the case and what you only assume. ".repeat(4);
    let texts: Vec<String> = (0..2000).map(|number| format!("{boilerplate} case {number}")).collect();
    let index = index(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(index.find(&format!("{boilerplate} case 77")).is_some());
    assert_eq!(index.find(TEXT), None);
}
