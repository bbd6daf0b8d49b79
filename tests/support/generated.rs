//! Generated cases for what is asked of a server: proptest's strategies and its shrinking, awaited.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::fmt::Debug;

/// Most steps in which a failing case is made smaller.
const SHRINKING: usize = 200;

/// How many cases a test looks at, of the `share`-th part of what a property gets: 256, or `PROPTEST_CASES`.
pub fn cases(share: u32) -> u32 {
    (Config::default().cases / share).max(1)
}

/// Asks about that many values, the same ones every time; what fails is made as small as it goes before it is told.
pub async fn for_all<S: Strategy>(count: u32, strategy: S, check: impl AsyncFn(S::Value) -> Result<(), String>)
where
    S::Value: Debug + Clone,
{
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    for _ in 0..count {
        let mut tree = strategy.new_tree(&mut runner).expect("a strategy that generates");
        let Err(mut why) = check(tree.current()).await else { continue };
        let mut smallest = tree.current();
        let mut more = tree.simplify();
        for _ in 0..SHRINKING {
            if !more {
                break;
            }
            more = match check(tree.current()).await {
                Err(still) => {
                    (why, smallest) = (still, tree.current());
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        panic!("{why}\nof {smallest:#?}");
    }
}
