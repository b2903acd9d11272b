//! How a job goes on: what is kept when it ends, and what is said while nothing comes.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dojo_studio::teacher::budget::Budget;
use dojo_studio::teacher::cache::AnswerCache;
use dojo_studio::teacher::client::Teacher;
use dojo_studio::teacher::clock::MachineClock;
use dojo_studio::teacher::course::{JobFact, JobPatience, JobWatch, TeacherJobEnd, run};
use dojo_studio::teacher::{AskError, Speaker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::world::{is_whole, request, settings};

fn watch<'a>(at_once: usize, stop: &'a AtomicBool, speakers: &'a [&'a dyn Speaker]) -> JobWatch<'a> {
    let long = Duration::from_secs(3600);
    // A stop waits for answers, but for none that hang.
    let patience = JobPatience { silent: Duration::ZERO, stopping: long, hanging: Duration::ZERO };
    JobWatch { at_once, stop, speakers, patience }
}

#[tokio::test]
async fn a_job_keeps_what_is_under_way_when_it_is_cut() {
    let stop = AtomicBool::new(false);
    let mut kept = Vec::new();
    let cut = AskError::NoCredit { teacher: "t".to_owned(), message: "empty".to_owned() };
    let work = |item: u32| {
        let error = cut.clone();
        async move {
            if item == 2 {
                Err(error)
            } else {
                tokio::task::yield_now().await;
                Ok(item * 10)
            }
        }
    };
    let ended = run(0..100, watch(4, &stop, &[]), work, |fact| {
        if let JobFact::Done(item, result) = fact {
            kept.push((item, result));
        }
        Ok(())
    })
    .await
    .expect("kept");
    assert_eq!(ended, TeacherJobEnd::Cut(cut));
    kept.sort_unstable();
    assert_eq!(kept, [(0, 0), (1, 10), (3, 30)]);
}

#[tokio::test]
async fn a_job_that_is_stopped_asks_nothing_more() {
    let stop = AtomicBool::new(false);
    let asked = Cell::new(0);
    let work = |item: u32| {
        asked.set(asked.get() + 1);
        async move { Ok(item) }
    };
    let ended = run(0..100, watch(2, &stop, &[]), work, |fact| {
        if let JobFact::Done(item, _) = fact {
            stop.store(item >= 5, Ordering::Relaxed);
        }
        Ok(())
    })
    .await;
    assert_eq!(ended.expect("kept"), TeacherJobEnd::Stopped);
    assert!(asked.get() < 12, "{}", asked.get());
}

/// An endpoint that takes every question and never answers, or sends a byte of an answer now and then.
async fn hanging(dribbles: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let mut asked = Vec::new();
                while !is_whole(&asked) {
                    let count = stream.read(&mut bytes).await.unwrap_or_default();
                    asked.extend_from_slice(&bytes[..count]);
                }
                if dribbles {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await.ok();
                }
                if dribbles {
                    while stream.write_all(b" ").await.is_ok() {
                        tokio::task::yield_now().await;
                    }
                }
                // Until the client goes.
                while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    url
}

#[tokio::test]
async fn who_is_waited_for_is_said_and_a_stop_waits_for_nobody_who_hangs() {
    for dribbles in [false, true] {
        let mut settings = settings(&hanging(dribbles).await);
        settings.timeout_seconds = 3600;
        let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
        let clock = Arc::new(MachineClock::default());
        let teacher =
            Teacher::new("slowpoke", settings, None, cache, Budget::default(), clock).expect("a teacher");
        let stop = AtomicBool::new(false);
        let mut said = Vec::new();
        let work = async |number: u32| teacher.ask(&request(&number.to_string())).await;
        let speakers: [&dyn Speaker; 1] = [&teacher];
        let ended = run(0..9, watch(2, &stop, &speakers), work, |fact| {
            match fact {
                JobFact::Done(..) => panic!("nobody answers"),
                JobFact::Waits(silence) => said.push(silence.words),
            }
            stop.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert_eq!(ended.await.expect("kept"), TeacherJobEnd::Stopped);
        assert_eq!(said, ["waiting for slowpoke:m1 for 0 s"]);
    }
}

#[tokio::test]
async fn what_was_tried_meanwhile_is_counted() {
    let mut settings = settings("http://127.0.0.1:1/v1");
    settings.timeout_seconds = 3600;
    let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
    let teacher =
        Teacher::new("gone", settings, None, cache, Budget::default(), Arc::new(MachineClock::default()))
            .expect("a teacher");
    let stop = AtomicBool::new(false);
    let mut said = String::new();
    let work = async |number: u32| teacher.ask(&request(&number.to_string())).await;
    let speakers: [&dyn Speaker; 1] = [&teacher];
    let ended = run(0..9, watch(1, &stop, &speakers), work, |fact| {
        if let JobFact::Waits(silence) = fact {
            said = silence.words;
            stop.store(said.contains("no-connection"), Ordering::Relaxed);
        }
        Ok(())
    });
    assert_eq!(ended.await.expect("kept"), TeacherJobEnd::Stopped);
    assert!(said.contains("s, tried again after ") && said.contains(" no-connection ("), "{said}");
}
