//! A simulator of an accounting system, and an example of a client that is made from the published document.
//!
//! It owns customers' numbers, receivables ledgers of one or two legal entities in any currency, credit limits and stock. It takes customers and items over from the CRM, keeps
//! them current by its feed, does business of its own, books payments, and pushes balances and stock as absolute snapshots. It can be
//! told to be slow, to repeat itself, to send out of order, to drop connections and to forget everything but its file; whatever it
//! does, the CRM ends with what its books say.
//!
//! It knows nothing of Samphan but the document: `api.rs` is generated from it, from the operations that `operations.txt` names.

#[rustfmt::skip]
#[expect(missing_docs, clippy::derivable_impls, reason = "written by a program, for a program")]
pub mod api;
mod amount;
mod books;
mod business;
mod client;
mod deliveries;
mod dice;
mod invoices;
mod ledgers;
mod messages;
mod options;
mod report;
mod simulator;
mod takeover;

pub use amount::Amount;
pub use books::{Customer, Item};
pub use client::{Client, ClientError};
pub use dice::Misbehaviour;
pub use ledgers::Ledger;
pub use options::{Options, Telling};
pub use report::Report;
pub use simulator::{Done, Simulator, SimulatorError};

/// Does what the subcommand `simulate-erp` is told, and says what happened.
pub async fn run(options: Options, say: fn(&str)) -> Done<()> {
    let (follow, verbose) = (options.follow, options.verbose);
    let mut simulator = Simulator::open(options)?.saying(if verbose { say } else { |_| {} });
    if follow {
        return simulator.follow().await;
    }
    say(simulator.run().await?.to_string().trim_end());
    let customers = simulator.customers()?;
    let owed: Amount = customers.iter().map(|c| c.receivable).sum();
    let kept: Amount = simulator.items()?.iter().map(|i| i.on_hand).sum();
    say(&format!("{} customers owe {owed}; {kept} of all items are on hand", customers.len()));
    Ok(())
}
