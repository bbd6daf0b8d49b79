//! How far an order has come: what of it is promised, invoiced, given back and paid, and what of it counts against credit.
//!
//! Everything goes by quantity. An amount says how much was promised for a line's quantity; what is open of it is the share of
//! the quantity that is neither invoiced nor given up, whatever the invoices came to.

use crate::sales::{
    order::{Completion, FulfilmentStatus, Order, OrderStatus, PaymentStatus},
    order_line::OrderLine,
};
use samphan_resource::{
    currency,
    money::{Amount, Quantity},
};

impl OrderLine {
    /// What of it is promised and not invoiced. What a credit note gives back is promised again, but not of a closed order.
    #[must_use]
    pub fn open_quantity(&self, is_closed: bool) -> Quantity {
        let billed = if is_closed { self.invoiced_quantity } else { self.billed_quantity() };
        Quantity((self.committed_quantity.0 - billed.0).max(0))
    }

    /// Promises so much of it, for its share of the amount.
    fn commit(&mut self, quantity: Quantity, decimals: u32) {
        self.committed_amount = share(self.total_amount, quantity, self.quantity, decimals);
        self.committed_quantity = quantity;
    }

    /// Gives up what is promised beyond what is ordered.
    fn give_up_excess(&mut self, decimals: u32) {
        if self.committed_quantity > self.quantity {
            self.committed_amount = share(self.committed_amount, self.quantity, self.committed_quantity, decimals);
            self.committed_quantity = self.quantity;
        }
    }
}

impl Order {
    /// Promises every line as it stands.
    pub fn commit(&mut self) {
        for line in &mut self.lines {
            line.committed_quantity = line.quantity;
            line.committed_amount = line.total_amount;
        }
        self.add_up_commitments();
    }

    /// Promises no more than was rendered: of goods what has left, of services what was promised.
    pub fn commit_rendered(&mut self) {
        self.read_commitments();
        let decimals = self.decimals();
        for line in self.lines.iter_mut().filter(|l| !l.is_service) {
            line.commit(line.shipped_quantity, decimals);
        }
        self.add_up_commitments();
    }

    /// Promises nothing.
    pub fn withdraw(&mut self) {
        for line in &mut self.lines {
            line.committed_quantity = Quantity(0);
            line.committed_amount = Amount(0);
        }
        self.add_up_commitments();
    }

    /// What would be open if it were confirmed as it stands.
    #[must_use]
    pub fn open_amount_when_confirmed(&self) -> Amount {
        let mut confirmed = self.clone();
        confirmed.status = OrderStatus::Confirmed;
        confirmed.commit();
        confirmed.follow_up();
        confirmed.open_amount
    }

    /// Brings what follows from its lines and amounts up to date.
    pub fn follow_up(&mut self) {
        self.lines.iter_mut().for_each(OrderLine::count);
        self.fulfilment_status = self.fulfilment();
        if self.is_promised() {
            use FulfilmentStatus::{Allocated, Delivered, PartlyAllocated, Unallocated};
            self.status = match self.fulfilment_status {
                Delivered => OrderStatus::Fulfilled,
                Unallocated | PartlyAllocated | Allocated => OrderStatus::Confirmed,
                _ => OrderStatus::InFulfilment,
            };
        }
        self.read_commitments();
        let decimals = self.decimals();
        self.lines.iter_mut().for_each(|line| line.give_up_excess(decimals));
        self.add_up_commitments();
        let is_closed = self.status == OrderStatus::Closed;
        let open = |l: &OrderLine| share(l.committed_amount, l.open_quantity(is_closed), l.committed_quantity, decimals);
        self.open_amount = self.lines.iter().map(open).fold(Amount(0), Amount::plus);
        self.invoice_status = self.invoiced(is_closed);
        self.payment_status = self.paid();
    }

    fn invoiced(&self, is_closed: bool) -> Completion {
        let billed = |l: &OrderLine| if is_closed { l.invoiced_quantity } else { l.billed_quantity() };
        // What is free need not be invoiced.
        let is_open = |l: &OrderLine| l.committed_amount.0 > 0 && l.open_quantity(is_closed).0 > 0;
        match () {
            () if self.invoiced_amount <= self.credited_amount && self.lines.iter().all(|l| billed(l).0 == 0) => Completion::None,
            () if self.lines.iter().any(is_open) => Completion::Partly,
            () => Completion::Fully,
        }
    }

    fn paid(&self) -> PaymentStatus {
        let owed = self.invoiced_amount.minus(self.credited_amount).minus(self.paid_amount);
        match () {
            () if self.paid_amount.0 > 0 && self.paid_amount >= self.committed_amount => PaymentStatus::Fully,
            () if self.invoiced_amount.0 > 0 && owed.0 <= 0 => PaymentStatus::Settled,
            () if self.paid_amount.0 > 0 => PaymentStatus::Partly,
            () => PaymentStatus::None,
        }
    }

    fn add_up_commitments(&mut self) {
        self.committed_amount = self.lines.iter().map(|l| l.committed_amount).fold(Amount(0), Amount::plus);
    }

    /// Orders written before lines had commitments have only the sum of them.
    fn read_commitments(&mut self) {
        if self.committed_amount.0 <= 0 || self.lines.iter().any(|l| l.committed_quantity.0 > 0) {
            return;
        }
        let (is_closed, decimals) = (self.status == OrderStatus::Closed, self.decimals());
        for line in &mut self.lines {
            line.commit(if is_closed && !line.is_service { line.shipped_quantity } else { line.quantity }, decimals);
        }
    }

    fn decimals(&self) -> u32 {
        self.currency.as_deref().and_then(currency::decimals).unwrap_or(2)
    }
}

/// `amount × part ÷ whole`, rounded half up to the currency's decimals; all of it when the part is the whole.
fn share(amount: Amount, part: Quantity, whole: Quantity, decimals: u32) -> Amount {
    if part >= whole || whole.0 == 0 {
        return if part.0 == 0 { Amount(0) } else { amount };
    }
    let step = 10_i128.pow(4_u32.saturating_sub(decimals));
    let divisor = i128::from(whole.0) * step;
    let product = i128::from(amount.0) * i128::from(part.0);
    Amount(i64::try_from((product + divisor / 2) / divisor * step).unwrap_or(amount.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use samphan_resource::money::SCALE;
    use serde_json::json;

    fn order(lines: &[(i64, i64)]) -> Order {
        let lines: Vec<_> =
            lines.iter().map(|(pieces, total)| json!({"quantity": pieces.to_string(), "total_amount": total.to_string()})).collect();
        let account = "0199a000-0000-7000-8000-000000000001";
        let mut order: Order = serde_json::from_value(json!({"account_id": account, "currency": "THB", "lines": lines})).unwrap();
        order.status = OrderStatus::Confirmed;
        order.commit();
        order.follow_up();
        order
    }

    fn invoice(order: &mut Order, line: usize, pieces: i64, amount: Amount) {
        let line = &mut order.lines[line];
        line.invoiced_quantity.0 += pieces * SCALE;
        line.invoiced_amount = line.invoiced_amount.plus(amount);
        order.invoiced_amount = order.invoiced_amount.plus(amount);
        order.follow_up();
    }

    fn credit(order: &mut Order, line: usize, pieces: i64, amount: Amount) {
        order.lines[line].credited_quantity.0 += pieces * SCALE;
        order.credited_amount = order.credited_amount.plus(amount);
        order.follow_up();
    }

    fn whole(amount: i64) -> Amount {
        Amount(amount * SCALE)
    }

    #[test]
    fn rounding_and_rebates_leave_nothing_open() {
        for paid in ["35.66", "32.10"] {
            let each = Amount(samphan_resource::money::parse(paid).unwrap());
            let mut order = order(&[(3, 107)]);
            invoice(&mut order, 0, 1, each);
            assert_eq!((order.open_amount.to_string(), order.invoice_status), ("71.33".to_owned(), Completion::Partly));
            invoice(&mut order, 0, 2, each.plus(each));
            assert_eq!((order.open_amount, order.invoice_status), (Amount(0), Completion::Fully));
            order.status = OrderStatus::Closed;
            order.follow_up();
            assert_eq!((order.open_amount, order.invoice_status), (Amount(0), Completion::Fully));
        }
    }

    #[test]
    fn a_credited_quantity_is_promised_again_and_an_allowance_is_not() {
        let mut order = order(&[(4, 400)]);
        invoice(&mut order, 0, 4, whole(400));
        credit(&mut order, 0, 0, whole(40));
        assert_eq!((order.open_amount, order.invoice_status), (Amount(0), Completion::Fully));
        credit(&mut order, 0, 3, whole(300));
        assert_eq!((order.open_amount, order.invoice_status), (whole(300), Completion::Partly));
        order.status = OrderStatus::Closed;
        order.lines[0].shipped_quantity = order.lines[0].quantity;
        order.commit_rendered();
        order.follow_up();
        assert_eq!(order.open_amount, Amount(0));
    }

    #[test]
    fn what_was_credited_and_paid_is_settled() {
        let mut order = order(&[(2, 2568)]);
        assert_eq!(order.payment_status, PaymentStatus::None);
        invoice(&mut order, 0, 2, whole(2568));
        order.paid_amount = whole(1284);
        order.follow_up();
        assert_eq!(order.payment_status, PaymentStatus::Partly);
        credit(&mut order, 0, 0, whole(1284));
        assert_eq!(order.payment_status, PaymentStatus::Settled);
    }

    #[test]
    fn a_held_amendment_keeps_the_promise_for_what_is_still_ordered() {
        let mut order = order(&[(4, 400), (1, 50)]);
        order.status = OrderStatus::OnHold;
        order.lines[0].quantity = Quantity(6 * SCALE);
        order.lines[0].total_amount = whole(600);
        order.follow_up();
        assert_eq!((order.committed_amount, order.open_amount), (whole(450), whole(450)));
        order.lines[0].quantity = Quantity(SCALE);
        order.lines.pop();
        order.follow_up();
        assert_eq!((order.committed_amount, order.open_amount), (whole(100), whole(100)));
    }

    #[test]
    fn an_order_written_before_lines_had_commitments_is_read_by_its_sum() {
        let mut order = order(&[(4, 400)]);
        for line in &mut order.lines {
            (line.committed_quantity, line.committed_amount) = (Quantity(0), Amount(0));
        }
        order.follow_up();
        assert_eq!((order.committed_amount, order.open_amount), (whole(400), whole(400)));
    }
}
