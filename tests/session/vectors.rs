//! Records compared by what they mean.

use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::domain::record::RecordId;
use dojo_studio::session::SessionError;

use super::world::{World, pair};

/// A vector that says which of three things a text is about.
fn meaning(texts: &[&str]) -> Result<Vec<Vec<f32>>, SessionError> {
    let about = |text: &&str| ["river", "rock", "bird"].map(|word| f32::from(u8::from(text.contains(word))));
    Ok(texts.iter().map(|text| about(text).to_vec()).collect())
}

fn world() -> World {
    let texts = ["a river", "a rock", "one more river", "a bird", "the river bank"];
    World::with(texts.iter().map(|text| pair(text, "yes")).collect())
}

fn alike(world: &World, record: i64) -> Vec<i64> {
    world.ids(&format!("like:{record}"))
}

#[test]
fn records_are_alike_by_their_vectors_once_a_model_is_chosen_and_by_their_words_before() {
    let mut world = world();
    let by_words = alike(&world, 1);
    let all = world.session.without_vectors("small").unwrap();
    assert_eq!(all, [1, 2, 3, 4, 5]);
    world.session.keep_vectors("small", &all, meaning).unwrap();
    assert_eq!(alike(&world, 1), by_words, "nobody has chosen the model yet");
    world.session.find_similar_by("small").unwrap();
    assert_eq!(world.session.similar_by().unwrap().as_deref(), Some("small"));
    assert_eq!(alike(&world, 1), [1, 3, 5]);
    assert_eq!(alike(&world, 4), [4]);
    world.session.apply(&Selection::Records(vec![RecordId(3)]), &Change::Remove).unwrap();
    assert_eq!(alike(&world, 1), [1, 5]);
}

#[test]
fn a_vector_goes_with_the_text_that_it_is_of() {
    let mut world = world();
    let all = world.session.without_vectors("small").unwrap();
    world.session.keep_vectors("small", &all, meaning).unwrap();
    world.session.find_similar_by("small").unwrap();
    let mut record = world.session.record(RecordId(3)).unwrap();
    record.messages[0].content = "one more bird".into();
    let body = dojo_studio::domain::change::Body::of(&record);
    world.session.edit("edit", &[(RecordId(3), body)]).unwrap();
    assert_eq!(world.session.without_vectors("small").unwrap(), [3]);
    assert_eq!(alike(&world, 1), [1, 5]);
    world.session.keep_vectors("small", &[3], meaning).unwrap();
    assert_eq!(alike(&world, 4), [3, 4]);
}
