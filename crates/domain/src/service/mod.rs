//! Customer service: the hours in which it works.

pub mod business_calendar;
pub mod business_time;
