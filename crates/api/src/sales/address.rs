//! The addresses a document carries: copies of the customer's, as they are when it is made.

use samphan_domain::{
    customers::{
        account::Account,
        address::{Address, AddressPurpose},
    },
    sales::order::OrderAddress,
};
use samphan_persistence::{
    store::Reader,
    stored::{self, Stored},
};
use samphan_resource::{error::Result, scalar::Scalar};

/// A customer's addresses, for the day a document is of.
pub struct Addresses<'a> {
    account: &'a Account,
    all: Vec<Address>,
}

impl<'a> Addresses<'a> {
    /// Reads them.
    pub async fn of(reader: &Reader, account: &'a Stored<Account>, day: &str) -> Result<Self> {
        let all = stored::find_by::<Address>(reader, "account_id", Scalar::Id(account.id())).await?;
        let holds = |a: &Address| samphan_domain::catalog::price_quote::within(day, a.valid_from.as_deref(), a.valid_to.as_deref());
        Ok(Self { account: &account.data, all: all.into_iter().map(|a| a.data).filter(holds).collect() })
    }

    /// A copy of the address for a purpose, else of the seat, with who is there.
    #[must_use]
    pub fn copy(&self, purpose: AddressPurpose) -> Option<OrderAddress> {
        let of = |purpose| self.all.iter().filter(move |a| a.purpose == purpose).max_by_key(|a| a.is_default);
        let found = of(purpose).or_else(|| of(AddressPurpose::Registered));
        // A tax invoice names its customer even where the address is unknown.
        let (found, legal) = match found {
            Some(found) => (Some(found), purpose == AddressPurpose::TaxInvoice),
            None if purpose == AddressPurpose::TaxInvoice => (None, true),
            None => return None,
        };
        let (account, legal_name) = (self.account, self.account.legal_name.clone());
        let line = |of: fn(&Address) -> Option<String>| found.and_then(of);
        Some(OrderAddress {
            name: legal_name.filter(|_| legal).or_else(|| Some(account.name.clone())),
            tax_id: account.tax_id.clone().filter(|_| legal),
            branch_code: account.branch_code.clone().filter(|_| legal),
            line1: line(|a| Some(a.line1.clone())),
            line2: line(|a| a.line2.clone()),
            subdistrict: line(|a| a.subdistrict.clone()),
            district: line(|a| a.district.clone()),
            city: line(|a| a.city.clone()),
            region: line(|a| a.region.clone()),
            postal_code: line(|a| a.postal_code.clone()),
            country: line(|a| a.country.clone()),
        })
    }
}
