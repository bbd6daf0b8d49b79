//! What the examples of the document have in common: fixed ids and moments, so that together they tell one story.

use uuid::Uuid;

/// The moment of every example.
pub const MOMENT: &str = "2026-11-21T10:00:00Z";
/// The day of every example.
pub const DATE: &str = "2026-11-21";
/// The system that accounting has, in every example.
pub const SYSTEM: &str = "express";

/// The id of the record that examples call by this name: a resource's plural for its own example, `order_lines` for a line.
#[must_use]
pub fn id(name: &str) -> Uuid {
    // FNV-1a: the same on every machine and in every version.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Uuid::from_u128(0x01a2_0000_0000_7000_8000_0000_0000_0000 | u128::from(hash & 0xffff_ffff_ffff))
}

/// Whether a text is the id of an example.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 36 && text.starts_with("01a20000-0000-7000-8000-")
}
