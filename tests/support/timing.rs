//! How long things take, beside each other: what a caller could learn from it.

use std::time::{Duration, Instant};

/// Rounds in which what a busy machine adds may differ; what the program adds is in all of them. A quiet machine needs one or two.
const ROUNDS: usize = 12;

/// The middle one.
pub fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// Insists that each of so many things takes as long as the first of them, give or take a share: by the medians of one round at least.
pub async fn all_take_as_long(things: usize, times: usize, share: f64, ask: impl AsyncFn(usize, usize)) {
    let mut seen: Vec<Vec<f64>> = vec![];
    for _ in 0..ROUNDS {
        let mut took = vec![vec![]; things];
        for n in 0..times {
            // Each as often first, second and third: what comes after what makes a difference of its own.
            for thing in (0..things).map(|i| (i + n) % things) {
                let begun = Instant::now();
                ask(thing, n).await;
                took[thing].push(begun.elapsed());
            }
        }
        let medians: Vec<f64> = took.into_iter().map(|all| median(all).as_secs_f64()).collect();
        seen.push(medians.iter().map(|m| m / medians[0]).collect());
        if (0..things).all(|thing| seen.iter().any(|round| (round[thing] - 1.0).abs() < share)) {
            return;
        }
    }
    panic!("by the time of the first: {seen:?}");
}
