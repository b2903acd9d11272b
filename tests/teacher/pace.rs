//! When requests start: told the time, nothing waits.

use std::time::Duration;

use dojo_studio::teacher::pace::{Admission, Breaker, RequestPace, TRIPS_TO_GIVE_UP, back_off};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn requests_are_spread_over_the_minute_after_a_short_burst() {
    let mut pace = RequestPace::new(Some(60), None);
    let starts: Vec<u64> = (0..10).map(|_| pace.book(seconds(100), 0).as_secs()).collect();
    assert_eq!(starts, [100, 100, 100, 100, 100, 100, 100, 101, 102, 103]);
}

#[test]
fn tokens_bind_where_they_are_the_scarcer() {
    let mut pace = RequestPace::new(Some(6000), Some(600));
    let starts: Vec<u64> = (0..3).map(|_| pace.book(seconds(0), 100).as_secs()).collect();
    assert_eq!(starts, [0, 4, 14]);
}

#[test]
fn nothing_starts_during_a_pause() {
    let mut pace = RequestPace::new(None, None);
    pace.pause_until(seconds(30));
    assert_eq!(pace.book(seconds(10), 1), seconds(30));
    assert_eq!(pace.book(seconds(40), 1), seconds(40));
}

#[test]
fn waits_double_up_to_a_minute_and_differ_between_requests() {
    for attempt in 0..12 {
        let whole = (0.5 * 2.0_f64.powi(attempt)).min(60.0);
        let waits: Vec<f64> = (0..20).map(|salt| back_off(attempt as u32, salt * 77).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (whole / 2.0..=whole).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| (wait - waits[0]).abs() > whole / 20.0), "{waits:?}");
    }
}

#[test]
fn the_breaker_opens_after_five_failures_tries_once_and_closes_on_success() {
    let mut breaker = Breaker::default();
    for _ in 0..5 {
        assert_eq!(breaker.admit(seconds(0)), Admission::Go);
        breaker.failed(seconds(0));
    }
    assert_eq!(breaker.admit(seconds(4)), Admission::Wait(seconds(6)));
    assert_eq!(breaker.admit(seconds(10)), Admission::Go);
    assert_eq!(breaker.admit(seconds(10)), Admission::Wait(seconds(1)), "only one tries");
    breaker.failed(seconds(11));
    assert_eq!(breaker.admit(seconds(11)), Admission::Wait(seconds(20)), "it rests longer");
    assert_eq!(breaker.admit(seconds(31)), Admission::Go);
    breaker.succeeded();
    assert_eq!(breaker.admit(seconds(31)), Admission::Go);
    assert_eq!(breaker.admit(seconds(31)), Admission::Go);
}

#[test]
fn the_breaker_gives_up_when_every_try_fails() {
    let mut breaker = Breaker::default();
    let mut now = seconds(0);
    let mut tries = 0;
    loop {
        match breaker.admit(now) {
            Admission::Go => {
                tries += 1;
                breaker.failed(now);
            }
            Admission::Wait(rest) => now += rest,
            Admission::GiveUp => break,
        }
    }
    assert_eq!(tries, 4 + TRIPS_TO_GIVE_UP);
    assert_eq!(now, seconds(10 + 20 + 40 + 80 + 160));
}
