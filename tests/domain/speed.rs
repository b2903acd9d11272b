//! Speed figures of answers.

use dojo_studio::domain::speed::tokens_per_second;

#[test]
fn a_speed_is_told_only_where_enough_came_after_the_first_step() {
    for after_first in 0..3 {
        assert_eq!(tokens_per_second(after_first, 1e-6), None);
        assert_eq!(tokens_per_second(after_first, 2.0), None);
    }
    // All in one step: no time went by.
    assert_eq!(tokens_per_second(40, 0.0), None);
    assert_eq!(tokens_per_second(40, 2.0), Some(20.0));
}
