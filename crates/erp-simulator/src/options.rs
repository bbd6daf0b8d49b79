//! What the simulator can be told.

use crate::{
    amount::Amount,
    dice::{Misbehaviour, share},
};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How the CRM is told of invoices. A system keeps to one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Telling {
    /// In messages of their own, by what we call each line.
    Apart,
    /// With the balance that includes them, by document and line.
    WithBalances,
}

/// Where the CRM is, where the books are, what business there is, and how badly to behave.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Address of the running service.
    #[arg(long, env = "SAMPHAN_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// An API key of the service.
    #[arg(long, env = "SAMPHAN_ERP_KEY", hide_env_values = true)]
    pub key: String,
    /// File of its books; made when missing, and all it knows when it starts again.
    #[arg(long, value_name = "PATH", default_value = "erp.db")]
    pub file: PathBuf,
    /// Code of the external system it is to the CRM; made when missing.
    #[arg(long, value_name = "CODE", default_value = "erp")]
    pub system: String,
    /// The legal entity it keeps books for.
    #[arg(long, value_name = "CODE", default_value = "TH01")]
    pub entity: String,
    /// Another legal entity it keeps books for: half of the business is that one's.
    #[arg(long, value_name = "CODE")]
    pub second_entity: Option<String>,
    /// Another currency: a quarter of the sales over the counter are in it.
    #[arg(long, value_name = "CODE")]
    pub second_currency: Option<String>,
    /// Share of the invoices of orders that have a rebate, of a tenth.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub rebate: f64,
    /// Share of the invoices of orders of which something is given back later, without goods.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub allowance: f64,
    /// ISO 4217 currency of customers that have none.
    #[arg(long, value_name = "CODE", default_value = "THB")]
    pub currency: String,
    /// The warehouse whose stock it keeps; made when missing.
    #[arg(long, value_name = "CODE", default_value = "ERP1")]
    pub warehouse: String,
    /// Credit limit of every customer; by its own rule, from 50,000 to 500,000, when left out.
    #[arg(long, value_name = "AMOUNT")]
    pub credit_limit: Option<Amount>,
    /// Most unpaid invoices a customer has from before.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub opening_invoices: u8,
    /// Most of an item there is from before.
    #[arg(long, value_name = "QUANTITY", default_value_t = 500)]
    pub opening_stock: u16,
    /// Business of its own to do in this run: sales over the counter, credit notes, goods received.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub trade: u32,
    /// Share of the due invoices that is paid each day.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    pub pay: f64,
    /// How to tell of invoices and payments of orders; to be kept to once begun.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Telling::Apart)]
    pub invoices: Telling,
    /// Most items in a message.
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub batch: u16,
    /// The day it is there, instead of today.
    #[arg(long, value_name = "DATE")]
    pub today: Option<NaiveDate>,
    /// What business and misfortunes follow from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Go on when there is nothing left to do, and run again whenever something changes.
    #[arg(long)]
    pub follow: bool,
    /// Say what became of each message.
    #[arg(long)]
    pub verbose: bool,
    /// How badly to behave.
    #[command(flatten)]
    pub misbehaviour: Misbehaviour,
}
