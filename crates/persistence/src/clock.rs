//! The clock: the one place that asks what time it is. Everything else gets the time passed in.

use samphan_resource::timestamp::Timestamp;
use std::sync::OnceLock;

/// Another clock than the machine's, where tests have set one.
static CLOCK: OnceLock<fn() -> Timestamp> = OnceLock::new();

/// Has this process go by another clock: for tests of what happens when one jumps. The program itself never does.
pub fn set_test_clock(clock: fn() -> Timestamp) {
    // The first one stays.
    let _ = CLOCK.set(clock);
}

/// This moment.
#[must_use]
pub fn now() -> Timestamp {
    CLOCK.get().map_or_else(machine, |clock| clock())
}

/// This moment by the machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the clock; everything else gets the time passed in")]
#[must_use]
pub fn machine() -> Timestamp {
    Timestamp::from(chrono::Utc::now())
}
