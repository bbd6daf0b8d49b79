//! Sales: tax rates, orders and what holds them up, shipments, what was invoiced, and what documents with lines come to.

pub mod allocation;
pub mod order;
pub mod order_hold;
pub mod order_invoice;
pub mod order_line;
pub mod order_promise;
mod progress;
pub mod shipment;
pub mod tax_rate;
pub mod totals;
