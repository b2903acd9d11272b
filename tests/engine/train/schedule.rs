//! Expected values: transformers' `get_*_schedule_with_warmup`, ten steps.

use dojo_studio::domain::recipe::Scheduler;
use dojo_studio::engine::train::schedule::Schedule;

fn assert_factors(kind: Scheduler, warmup_steps: u64, expected: [f64; 10]) {
    let schedule = Schedule { kind, warmup_steps, total_steps: 10 };
    for (step, expected) in (0..).zip(expected) {
        let factor = schedule.factor(step);
        assert!((factor - expected).abs() < 1e-12, "{kind:?}, step {step}: {factor}, not {expected}");
    }
}

#[test]
fn factors_equal_those_of_transformers() {
    let third = 1.0 / 3.0;
    assert_factors(
        Scheduler::Cosine,
        3,
        [
            0.0,
            third,
            2.0 * third,
            1.0,
            0.950_484_433_951_209_5,
            0.811_744_900_929_366_7,
            0.611_260_466_978_157_2,
            0.388_739_533_021_842_83,
            0.188_255_099_070_633_26,
            0.049_515_566_048_790_48,
        ],
    );
    assert_factors(
        Scheduler::Linear,
        3,
        [0.0, third, 2.0 * third, 1.0, 6.0 / 7.0, 5.0 / 7.0, 4.0 / 7.0, 3.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0],
    );
    assert_factors(Scheduler::Constant, 3, [0.0, third, 2.0 * third, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn without_warm_up_the_first_step_has_the_whole_rate_and_the_end_is_zero() {
    let schedule = Schedule { kind: Scheduler::Cosine, warmup_steps: 0, total_steps: 10 };
    assert!((schedule.factor(0) - 1.0).abs() < 1e-12);
    assert!(schedule.factor(10).abs() < 1e-12);
}
