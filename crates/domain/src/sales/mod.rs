//! Sales: what documents with lines come to. Orders, quotes and promises share it.

pub mod totals;
