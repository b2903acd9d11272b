//! Text metrics against expected figures, from the shell; METEOR with a small WordNet of its own.

use dojo_studio::eval::check::check_text_metrics;
use dojo_studio::reward::text::meteor::{meteor, meteor_with};
use dojo_studio::reward::text::wordnet::WordNet;
use serde_json::{Value, json};

use crate::support::program::World;

fn golden() -> Option<std::path::PathBuf> {
    let folder = std::env::var("DOJO_GOLDEN").unwrap_or_else(|_| "../shared/golden".to_owned());
    let path = std::path::Path::new(&folder).join("text_metrics.json");
    let there = path.is_file();
    if !there {
        println!("left out: {} is not here", path.display());
    }
    there.then(|| path.canonicalize().unwrap())
}

#[test]
fn the_reference_programs_figures_are_met_and_one_that_is_off_is_named() {
    let Some(path) = golden() else { return };
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let check = check_text_metrics(&file, None, 1e-4).unwrap();
    assert!(check.is_met(), "{check:?}");
    assert_eq!(check.figures["corpus_bleu_precisions"].compared, 4);
    assert_eq!(check.figures.len(), 12);
    let largest = check.figures.values().map(|figure| figure.largest_difference).fold(0.0, f64::max);
    assert!(largest < 1e-9, "{largest}");

    file["items"][3]["rouge1"] = json!(0.5);
    file["items"][4]["bertscore"] = json!(0.9);
    file["corpus_meteor"] = json!(0.9);
    let check = check_text_metrics(&file, None, 1e-4).unwrap();
    let places: Vec<&str> = check.differences.iter().map(|difference| difference.place.as_str()).collect();
    let unknown: Vec<&str> = check.not_compared.keys().map(String::as_str).collect();
    assert_eq!((places, unknown), (vec!["items[3].rouge1"], vec!["bertscore", "corpus_meteor"]));
    assert!(!check.is_met());
}

#[test]
fn the_shell_says_whether_all_agree_by_its_exit_code() {
    let world = World::new();
    let item =
        |rouge: f64| json!({"items": [{"reference": "a b c d", "hypothesis": "a b c d", "rouge1": rouge}]});
    std::fs::write(world.path().join("good.json"), item(1.0).to_string()).unwrap();
    std::fs::write(world.path().join("bad.json"), item(0.9).to_string()).unwrap();
    std::fs::write(world.path().join("none.json"), "{\"items\": []}").unwrap();
    let told = world.say(&["eval", "check", "good.json"]);
    assert!(told.contains("all figures agree within 0.0001"), "{told}");
    let bad = world.dojo(&["eval", "check", "bad.json", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!((&told["met"], &told["check"]["figures"]["rouge1"]["differ"]), (&json!(false), &json!(1)));
    let none = world.dojo(&["eval", "check", "none.json"]);
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(said, "dojo: read the expected figures of none.json: its list \"items\" is empty\n");
}

/// A folder in WordNet's form: physician and doctor share a sense, and so do automobile and car; geese are irregular.
fn dictionary() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let licence = "  1 This is a licence.\n";
    write(
        "index.noun",
        &format!(
            "{licence}automobile n 1 1 @ 1 0 00000200\ncar n 1 1 @ 1 0 00000200\ndoctor n 2 0 2 0 00000100 00000300\n\
             goose n 1 0 1 0 00000400\nphysician n 1 0 1 0 00000100\n"
        ),
    );
    write(
        "data.noun",
        &format!(
            "{licence}00000100 18 n 03 doctor 0 physician 0 medical_man 0 000 | a person who heals\n\
             00000200 06 n 02 car 0 automobile 0 001 @ 00000100 n 0000 | a vehicle\n\
             00000300 18 n 02 doctor 1 Scholar 0 000 | a person of learning\n\
             00000400 05 n 02 goose 0 honker(p) 0 000 | a bird\n"
        ),
    );
    write("noun.exc", "geese goose\n");
    for part in ["verb", "adj", "adv"] {
        write(&format!("index.{part}"), licence);
        write(&format!("data.{part}"), licence);
    }
    folder
}

#[test]
fn synonyms_come_from_all_senses_by_base_forms_and_exceptions() {
    let folder = dictionary();
    let wordnet = WordNet::open(folder.path()).unwrap();
    let sorted = |word: &str| {
        let mut words: Vec<String> = wordnet.synonyms(word).into_iter().collect();
        words.sort();
        words
    };
    assert_eq!(sorted("Doctors"), ["Scholar", "doctor", "physician"]);
    assert_eq!(sorted("geese"), ["goose", "honker"]);
    assert_eq!(sorted("table"), Vec::<String>::new());
}

#[test]
fn meteor_counts_synonyms_as_matches_once_the_dictionary_is_there() {
    let folder = dictionary();
    let wordnet = WordNet::open(folder.path()).unwrap();
    let (said, wanted) = ("the physician drove a car", "the doctor drove a car");
    // Four of five words: precision and recall 0.8 in two runs of words; with the synonym all five in one.
    let fewer = 0.8 * (1.0 - 0.5 * (2.0_f64 / 4.0).powi(3));
    let all = 1.0 - 0.5 * (1.0_f64 / 5.0).powi(3);
    assert!((meteor(said, wanted) - fewer).abs() < 1e-12, "{}", meteor(said, wanted));
    let given = meteor_with(said, wanted, Some(&wordnet));
    assert!((given - all).abs() < 1e-12, "{given}");
    let file = json!({"items": [{"reference": wanted, "hypothesis": said, "meteor": all, "meteor_no_synonyms": fewer}]});
    assert!(check_text_metrics(&file, Some(&wordnet), 1e-9).unwrap().is_met());
    let without = check_text_metrics(&file, None, 1e-9).unwrap();
    assert_eq!(without.not_compared["meteor"], "synonyms need WordNet: name its folder with --wordnet");
}

#[test]
fn a_folder_that_is_no_wordnet_is_refused_by_the_file() {
    let folder = dictionary();
    std::fs::write(folder.path().join("index.verb"), "run v 2 0 2 0 00000100\n").unwrap();
    let error = format!("{:#}", WordNet::open(folder.path()).unwrap_err());
    assert!(error.ends_with("line 1 of index.verb has another form"), "{error}");
    std::fs::remove_file(folder.path().join("data.noun")).unwrap();
    let error = format!("{:#}", WordNet::open(folder.path()).unwrap_err());
    assert!(error.contains("data.noun"), "{error}");
}
