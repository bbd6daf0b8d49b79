//! Stock: where goods are kept, how much there is, what moved it, and what is put aside.

pub mod stock_count;
pub mod stock_level;
pub mod stock_movement;
pub mod stock_reservation;
pub mod warehouse;
