use std::collections::BTreeMap;

use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::domain::record::{RecordId, Status};
use dojo_studio::domain::view::{SortDirection, SortField, SortOrder};
use dojo_studio::session::Importer;

use super::world::{World, labelled, pair, prepared, read};

#[test]
fn a_search_is_complete_before_the_index_is() {
    let mut world = World::numbered(3);
    let mut importer = Importer::begin(&mut world.session, "b.jsonl", "").expect("begin");
    importer.add(&prepared(vec![pair("question late", "x"), pair("elsewhere", "y")]), &[]).expect("add");
    importer.finish().expect("finish");
    let state = world.session.index_state().expect("state");
    assert_eq!((state.done, state.total), (3, 5));
    for (filter, expected) in [
        ("question", vec![1, 2, 3, 4]),
        ("\"question late\"", vec![4]),
        ("-question", vec![5]),
        ("elsewhere OR \"question 2\"", vec![2, 5]),
    ] {
        assert_eq!(world.ids(filter), expected, "{filter}");
    }
    world.session.build_index(|_| true).expect("index");
    assert!(world.session.index_state().expect("state").complete());
    assert_eq!(world.ids("question"), [1, 2, 3, 4]);
}

#[test]
fn views_are_sorted_with_missing_values_last() {
    let mut world = World::with(vec![labelled("a", "zebra"), pair("b", "x"), labelled("c", "ant")]);
    let tokens = [(1, 5), (3, 9)];
    world.count("t", &tokens);
    let ids = |field, direction| {
        let view = world.session.view(&read(""), SortOrder { field, direction }).expect("view");
        view.ids().to_vec()
    };
    assert_eq!(ids(SortField::Label, SortDirection::Rising), [3, 1, 2]);
    assert_eq!(ids(SortField::Label, SortDirection::Falling), [1, 3, 2]);
    assert_eq!(ids(SortField::Tokens, SortDirection::Falling), [3, 1, 2]);
    assert_eq!(ids(SortField::Id, SortDirection::Falling), [3, 2, 1]);
}

#[test]
fn a_page_is_read_by_position() {
    let world = World::numbered(100);
    let view = world.session.view(&read("id>50"), SortOrder::default()).expect("view");
    let rows = view.rows(&world.session, 48..60).expect("rows");
    assert_eq!(rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), [99, 100]);
    assert_eq!(rows[0].record.prompt(), "question 99");
    assert_eq!(view.position(99), Some(48));
}

#[test]
fn statistics_follow_the_filter() {
    let mut twin = labelled("same", "1");
    twin.provenance.occurrence = 1;
    let mut world = World::with(vec![labelled("same", "1"), twin, labelled("other", "0"), pair("none", "")]);
    let tokens: Vec<_> = (1..=4).map(|id| (id, id as u32 * 10)).collect();
    world.count("t", &tokens);
    let all = world.session.statistics(&read(""), Some(25)).expect("statistics");
    assert_eq!((all.records, all.distinct_prompts, all.equal_rows), (4, 3, 1));
    assert_eq!((all.median, all.longest, all.over_limit, all.tokens), (Some(30), Some(40), Some(2), 100));
    assert_eq!(all.statuses, [4, 0, 0]);
    assert_eq!(all.labels.named[0], (Some("1".to_owned()), 2));
    let some = world.session.statistics(&read("label:1"), None).expect("statistics");
    assert_eq!((some.records, some.distinct_prompts, some.bins.counts.iter().sum::<u64>()), (2, 1, 2));
}

#[test]
fn what_another_connection_commits_is_noticed() {
    use dojo_studio::domain::change::{Change, Selection};
    let mut world = World::numbered(2);
    assert!(!world.session.changed_elsewhere().expect("look"));
    let change = Change::SetStatus(Status::Approved);
    world.other().apply(&Selection::Matching(read("")), &change).expect("approve");
    assert!(world.session.changed_elsewhere().expect("look"));
    assert!(!world.session.changed_elsewhere().expect("look again"));
    assert_eq!(world.ids("status:approved"), [1, 2]);
}

#[test]
fn findings_are_filters_and_told_with_each_record() {
    let mut world = World::numbered(3);
    assert_eq!(world.session.findings().expect("findings"), None);
    for id in [2, 3] {
        let found = BTreeMap::from([("odd", vec![(RecordId(id), "why".to_owned())]), ("clean", Vec::new())]);
        world.session.replace_findings(&found).expect("findings");
        assert_eq!(world.ids("check:odd"), [id]);
    }
    let found = BTreeMap::from([("odd".to_owned(), 1)]);
    assert_eq!(world.session.findings().expect("findings"), Some(found));
    let of = |id| world.session.findings_of(RecordId(id)).expect("findings of a record");
    assert_eq!((of(2), of(3)), (vec![], vec![("odd".to_owned(), "why".to_owned())]));
}

#[test]
fn what_reads_like_a_record_is_found_whatever_its_length() {
    let long = |end: &str| {
        format!("The interference of waves follows from superposition, step by step, and so {end}")
    };
    let mut again = pair("a b", "c");
    again.provenance.occurrence = 1;
    let mut world = World::with(vec![
        pair(&long("light bends"), "yes"),
        pair("quite another matter of economics", "no"),
        pair(&long("sound fades"), "yes"),
        pair("a b", "c"),
        again,
    ]);
    assert_eq!(world.ids("like:1"), [1, 3]);
    assert_eq!(world.ids("like:1 -like:3"), Vec::<i64>::new());
    assert_eq!(world.ids("like:4"), [4, 5]);
    assert_eq!(world.ids("like:2"), [2]);
    let all = Selection::Matching(read("like:1"));
    assert_eq!(world.session.apply(&all, &Change::AddTag("waves".into())).expect("tag"), 2);
    let Err(error) = world.session.view(&read("like:99"), SortOrder::default()) else {
        panic!("no such record")
    };
    assert_eq!(error.to_string(), "there is no record 99 in this session");
}

#[test]
fn a_part_of_a_run_without_spaces_is_found() {
    let mut world = World::with(vec![
        pair("日本語テキスト", "ok"),
        pair("これは日本の話です", "ok"),
        pair("한국어에서", "ok"),
        pair("Japanese", "日本 GPT語"),
    ]);
    for (filter, found) in [
        ("日本語", vec![1]),
        ("日本", vec![1, 2, 4]),
        ("テキスト", vec![1]),
        ("한국어", vec![3]),
        ("-日本", vec![3]),
        ("日本 ok", vec![1, 2]),
        ("\"gpt語\"", vec![4]),
        ("日本 OR 한국*", vec![1, 2, 3, 4]),
    ] {
        assert_eq!(world.ids(filter), found, "{filter}");
    }
    // What the index doesn't hold yet is found too.
    world.session.add("new", vec![pair("新しい日本語", "ok")]).unwrap();
    assert_eq!(world.ids("日本語"), [1, 5]);
}
