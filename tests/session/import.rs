use dojo_studio::session::{ImportCounts, ImportState, Importer, Reject};

use super::world::{World, pair, prepared};

#[test]
fn a_row_imported_twice_is_recognised_and_equal_rows_of_one_file_stay_apart() {
    let mut twin = pair("same", "row");
    twin.provenance.occurrence = 1;
    let rows = vec![pair("same", "row"), twin, pair("other", "row")];
    let mut world = World::with(rows.clone());
    assert_eq!(world.ids(""), [1, 2, 3]);
    assert_eq!(world.ids("is:duplicate"), [2]);
    let mut importer = Importer::begin(&mut world.session, "a.jsonl", "").expect("begin");
    let counts = importer.add(&prepared(rows), &[]).expect("add");
    assert_eq!(counts, ImportCounts { added: 0, repeated: 3, rejected: 0 });
    importer.finish().expect("finish");
    assert_eq!(world.ids(""), [1, 2, 3]);
    assert_eq!(world.session.history(9).expect("history").len(), 1, "nothing to undo");
}

#[test]
fn an_interrupted_import_is_taken_up_where_it_was() {
    let mut world = World::new();
    let rows: Vec<_> = (0..30).map(|n| pair(&format!("question {n}"), "a")).collect();
    let mut importer = Importer::begin(&mut world.session, "a.jsonl", "").expect("begin");
    importer.add(&prepared(rows[..20].to_vec()), &[]).expect("add");
    drop(importer);
    assert_eq!(world.session.imports().expect("imports")[0].state, ImportState::Unfinished);
    let mut importer = Importer::begin(&mut world.session, "a.jsonl", "").expect("begin again");
    importer.add(&prepared(rows), &[]).expect("add");
    let counts = importer.finish().expect("finish");
    assert_eq!(counts, ImportCounts { added: 30, repeated: 0, rejected: 0 });
    let imports = world.session.imports().expect("imports");
    assert_eq!((imports.len(), imports[0].state), (1, ImportState::Done));
    world.session.undo().expect("undo the whole import");
    assert_eq!(world.ids(""), Vec::<i64>::new());
}

#[test]
fn a_deleted_row_does_not_come_back_by_importing_again() {
    use dojo_studio::domain::change::{Change, Selection};
    let mut world = World::with(vec![pair("keep", "1"), pair("drop", "2")]);
    world.session.apply(&Selection::Matching(super::world::read("drop")), &Change::Remove).expect("remove");
    world.import("a.jsonl", vec![pair("keep", "1"), pair("drop", "2")]);
    assert_eq!(world.ids(""), [1]);
}

#[test]
fn what_could_not_be_read_is_kept_with_its_reason() {
    let mut world = World::new();
    let reject = Reject {
        source: "a.jsonl".to_owned(),
        line: 7,
        reason: "not JSON".to_owned(),
        start: "{oops".to_owned(),
    };
    let mut importer = Importer::begin(&mut world.session, "a.jsonl", "").expect("begin");
    importer.add(&[], std::slice::from_ref(&reject)).expect("add");
    assert_eq!(importer.finish().expect("finish").rejected, 1);
    assert_eq!(world.session.rejects(1).expect("rejects"), [reject]);
}

#[test]
fn only_one_import_at_a_time_and_the_other_is_named() {
    let mut world = World::new();
    let mut other = world.other();
    let _importer = Importer::begin(&mut world.session, "a.jsonl", "").expect("begin");
    let Err(refused) = Importer::begin(&mut other, "b.jsonl", "") else { panic!("two imports at once") };
    let text = refused.to_string();
    assert!(text.contains("dojo data import a.jsonl"), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
}

#[test]
fn a_mapping_is_remembered_for_its_columns() {
    let mut world = World::new();
    let columns = ["premise".to_owned(), "hypothesis".to_owned()];
    world.session.remember_mapping(&columns, "mapping").expect("remember");
    assert_eq!(world.session.remembered_mapping(&columns).expect("look"), Some("mapping".to_owned()));
    assert_eq!(world.session.remembered_mapping(&columns[..1]).expect("look"), None);
}
