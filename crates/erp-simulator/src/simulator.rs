//! The simulator: its steps, and the run that goes through them until nothing is left to do.

use crate::{
    books::{Books, Customer, Item},
    client::{Client, ClientError},
    dice::Dice,
    ledgers::Ledger,
    options::Options,
    report::Report,
};
use chrono::NaiveDate;

/// Why a step came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The file of the books.
    #[error("the books: {0}")]
    Books(#[from] rusqlite::Error),
    /// The service.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// A message that could not be written or read.
    #[error("a message: {0}")]
    Message(#[from] serde_json::Error),
    /// An amount of the CRM's that is none.
    #[error("{0}")]
    Amount(#[from] crate::amount::NotAnAmount),
    /// It was told to restart now and then, and did: the step is to be taken again.
    #[error("restarted")]
    Restarted,
}

/// Results of steps.
pub type Done<T> = Result<T, SimulatorError>;

/// An accounting system: its books, its client, and its misfortunes.
#[derive(Debug)]
pub struct Simulator {
    pub(crate) options: Options,
    pub(crate) books: Books,
    pub(crate) client: Client,
    pub(crate) dice: Dice,
    pub(crate) report: Report,
    pub(crate) say: fn(&str),
}

impl Simulator {
    /// Opens its file, made when missing.
    pub fn open(options: Options) -> Done<Self> {
        let dice = Dice::new(options.seed);
        Self::awake(options, dice, Report::default(), |_| {})
    }

    /// Says what happens while it happens.
    #[must_use]
    pub const fn saying(mut self, say: fn(&str)) -> Self {
        self.say = say;
        self
    }

    fn awake(options: Options, dice: Dice, report: Report, say: fn(&str)) -> Done<Self> {
        let books = Books::open(&options.file)?;
        let client = Client::new(&options.url, &options.key, options.misbehaviour.clone(), dice.clone())?;
        Ok(Self { options, books, client, dice, report, say })
    }

    /// Forgets everything but its file.
    pub fn restart(&mut self) -> Done<()> {
        self.report.restarts += 1;
        (self.say)("restarted");
        *self = Self::awake(self.options.clone(), self.dice.clone(), std::mem::take(&mut self.report), self.say)?;
        Ok(())
    }

    /// A moment at which it may end without warning.
    pub(crate) fn mishap(&self) -> Done<()> {
        if self.dice.happens(self.options.misbehaviour.restart) { Err(SimulatorError::Restarted) } else { Ok(()) }
    }

    /// Its present day.
    pub fn today(&self) -> Done<NaiveDate> {
        Ok(match self.options.today {
            Some(day) => day,
            None => self.books.now()?.date_naive(),
        })
    }

    /// Goes through all steps until nothing is left to do, whatever happens to it on the way.
    pub async fn run(&mut self) -> Done<&Report> {
        let goal = self.books.number("trades")? + i64::from(self.options.trade);
        loop {
            match self.round(goal).await {
                Ok(0) => return Ok(&self.report),
                Ok(_) => {}
                Err(SimulatorError::Restarted) => self.restart()?,
                Err(e) => return Err(e),
            }
        }
    }

    /// Every step once; how much came of them.
    async fn round(&mut self, goal: i64) -> Done<usize> {
        self.prepare().await?;
        let mut done = self.pull().await?;
        done += self.invoice_shipped()?;
        done += self.credit_returned()?;
        done += self.trade(goal)?;
        done += self.book_payments(self.today()?)?;
        self.write_names()?;
        self.write_invoices()?;
        self.write_balances()?;
        self.write_stock()?;
        Ok(done + self.send_all().await?)
    }

    /// Runs whenever something changes in the CRM, for ever.
    pub async fn follow(&mut self) -> Done<()> {
        loop {
            self.run().await?;
            self.options.trade = 0;
            self.wait().await?;
        }
    }

    /// What has happened so far.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Every customer, and what the books say of it today.
    pub fn customers(&self) -> Done<Vec<Customer>> {
        Ok(self.books.customers(self.today()?)?)
    }

    /// Every ledger, and what it says today.
    pub fn ledgers(&self) -> Done<Vec<Ledger>> {
        Ok(self.books.ledgers(self.today()?)?)
    }

    /// Every item, and how much of it there is.
    pub fn items(&self) -> Done<Vec<Item>> {
        Ok(self.books.items()?)
    }

    /// Every document, one line each.
    pub fn journal(&self) -> Done<Vec<String>> {
        Ok(self.books.journal()?)
    }

    /// What is wrong with its books: nothing, ever.
    pub fn faults(&self) -> Done<Vec<String>> {
        Ok(self.books.faults()?)
    }
}
