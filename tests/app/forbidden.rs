use anyhow::Context;
use dojo_studio::app::forbidden::sentence;

#[test]
fn a_place_that_cannot_be_written_is_said_in_words() {
    let error = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
    let error = Err::<(), _>(error).context("create /home/a/runs").unwrap_err();
    let said = sentence(&error);
    assert!(said.starts_with("create /home/a/runs: not allowed"), "{said}");
    assert!(!said.contains("os error"), "{said}");
    assert_eq!(sentence(&anyhow::anyhow!("b").context("a")), "a: b");
    let full = anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull)).context("write a");
    assert_eq!(sentence(&full), "write a: the disk is full; make room and try again");
}
