//! A path that is pasted or dropped on a pane that doesn't read one opens the import on Data.

use dojo_studio::ui::pane::PaneId;

use super::data;

#[test]
fn a_path_is_offered_for_import_wherever_it_is_dropped() {
    for pane in ["1", "2", "3", "4", "5", "6"] {
        let mut studio = data::studio();
        studio.keys(pane);
        if pane == "4" {
            studio.keys("esc");
        }
        studio.paste("'/data/my rows.jsonl'");
        assert_eq!(studio.studio.front(), PaneId::Data, "{pane}");
        assert!(studio.screen().contains("/data/my rows.jsonl"), "{pane}: {}", studio.screen());
        studio.keys("esc");
        assert!(!studio.screen().contains("/data/my rows.jsonl"), "{pane}");
    }
}

#[test]
fn a_path_that_comes_while_a_record_is_edited_elsewhere_is_told_of() {
    let mut studio = data::studio();
    studio.keys("1 n");
    studio.text("mine");
    studio.studio.show(PaneId::Train);
    let effects = studio.paste("/data/rows.jsonl");
    assert!(format!("{effects:?}").contains("leave what is open on Data"), "{effects:?}");
    assert_eq!(studio.studio.front(), PaneId::Train);
}

#[test]
fn other_text_is_no_import() {
    let mut studio = data::studio();
    studio.keys("3");
    assert_eq!(studio.paste("what a day"), []);
    assert_eq!(studio.studio.front(), PaneId::Train);
}

#[test]
fn a_paste_of_megabytes_is_refused_in_a_sentence_wherever_it_comes() {
    let huge = "word ".repeat(1_000_000);
    for keys in ["1 e", "1 f", "4", "1 ctrl-p", "2"] {
        let mut studio = data::studio();
        studio.keys(keys);
        let before = studio.screen();
        let effects = studio.paste(&huge);
        assert!(format!("{effects:?}").contains("5.0 MB were pasted"), "{keys}: {effects:?}");
        assert_eq!(studio.screen(), before, "{keys}");
    }
}
