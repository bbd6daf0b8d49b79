//! Thai tax identification numbers and the branch codes of a tax invoice.

use std::fmt;

use samphan_resource::text::{ascii_digit, fold, is_invisible};

/// The branch code of a head office.
pub const HEAD_OFFICE: &str = "00000";

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxIdError {
    /// Too few or too many digits.
    Length {
        /// The digits the number must have.
        expected: usize,
        /// The digits it has.
        found: usize,
    },
    /// Something other than digits, spaces and dashes.
    NotADigit(char),
    /// The last digit does not follow from the others, so one of them is wrong.
    Checksum,
}

impl fmt::Display for TaxIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "must have {expected} digits, not {found}"),
            Self::NotADigit(c) => write!(f, "must have only digits, not {c:?}"),
            Self::Checksum => f.write_str("the check digit is wrong"),
        }
    }
}

impl std::error::Error for TaxIdError {}

/// The 13 digits of a Thai tax identification number, of a person or a company.
///
/// Digits of any script, spaces and dashes are accepted.
pub fn thai_tax_id(raw: &str) -> Result<String, TaxIdError> {
    let id = digits(raw, 13)?;
    // The weights end in 1 for the check digit, so compare it apart rather than sum it in: the
    // reduction to one digit gives the remainders 0 and 10 the same check digit.
    if id.ends_with(check_digit(&id)) { Ok(id) } else { Err(TaxIdError::Checksum) }
}

/// The five digits of a branch; "สำนักงานใหญ่" and "Head Office" are [`HEAD_OFFICE`].
pub fn branch_code(raw: &str) -> Result<String, TaxIdError> {
    let words = fold(raw);
    if words == "head office" || words == fold("สำนักงานใหญ่") {
        return Ok(HEAD_OFFICE.to_owned());
    }
    digits(raw, 5)
}

/// The 12 digits with the check digit that makes them a valid number.
pub fn with_check_digit(first12: &str) -> Option<String> {
    let mut id = digits(first12, 12).ok()?;
    id.push(check_digit(&id));
    Some(id)
}

/// The check digit of the first 12 digits: their sum with the weights 13 to 2, modulo 11.
fn check_digit(id: &str) -> char {
    let sum: u32 = id.chars().zip((2..=13).rev()).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    char::from_digit((11 - sum % 11) % 10, 10).unwrap_or('0')
}

/// The digits in ASCII, without what people put between them.
fn digits(raw: &str, expected: usize) -> Result<String, TaxIdError> {
    let digits = raw
        .chars()
        .filter(|&c| !(c.is_whitespace() || is_invisible(c) || matches!(c, '-' | '‐'..='―' | '−')))
        .map(|c| ascii_digit(c).ok_or(TaxIdError::NotADigit(c)))
        .collect::<Result<String, _>>()?;
    if digits.len() == expected { Ok(digits) } else { Err(TaxIdError::Length { expected, found: digits.len() }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_accepted_in_every_way_of_typing_it() {
        for raw in ["0105537143215", "0-1055-37143-21-5", " 0 1055 37143 21 5 ", "๐๑๐๕๕๓๗๑๔๓๒๑๕", "0–1055–37143–21–5"]
        {
            assert_eq!(thai_tax_id(raw).as_deref(), Ok("0105537143215"), "{raw}");
        }
    }

    #[test]
    fn a_wrong_number_is_refused_with_what_is_wrong() {
        for (raw, error) in [
            ("0105537143216", "the check digit is wrong"),
            ("010553714321", "must have 13 digits, not 12"),
            ("", "must have 13 digits, not 0"),
            ("010553714321x", "must have only digits, not 'x'"),
        ] {
            assert_eq!(thai_tax_id(raw).unwrap_err().to_string(), error, "{raw}");
        }
    }

    #[test]
    fn a_branch_has_five_digits_and_the_head_office_is_zero() {
        assert_eq!(branch_code("๐๐๐๐๑").as_deref(), Ok("00001"));
        for raw in [HEAD_OFFICE, "สำนักงานใหญ่", "(Head office)"] {
            assert_eq!(branch_code(raw).as_deref(), Ok(HEAD_OFFICE), "{raw}");
        }
        assert_eq!(branch_code("1"), Err(TaxIdError::Length { expected: 5, found: 1 }));
    }

    proptest! {
        #[test]
        fn a_number_with_its_check_digit_is_valid(first12 in "[0-9]{12}") {
            let id = with_check_digit(&first12).unwrap();
            prop_assert!(id.starts_with(&first12));
            prop_assert_eq!(thai_tax_id(&id), Ok(id));
        }

        // The scheme has two gaps: the third digit weighs 11, which is nothing modulo 11, and the
        // remainders 0 and 10 have the same check digit, 1.
        #[test]
        fn one_wrong_digit_is_noticed_but_for_the_gaps_of_the_scheme(first12 in "[0-9]{12}", at in 0..13_usize, by in 1..10_u8) {
            let id = with_check_digit(&first12).unwrap();
            let mut wrong = id.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            let accepted = thai_tax_id(&String::from_utf8(wrong).unwrap()).is_ok();
            prop_assert!(!accepted || at == 2 || (at < 12 && id.ends_with('1')));
        }

        #[test]
        fn what_stands_between_digits_and_their_script_change_nothing(
            first12 in "[0-9]{12}",
            between in proptest::collection::vec("[ \u{a0}\u{200b}–-]?", 13),
            zero in prop::sample::select(vec!['0', '๐', '۰', '٠', '０']),
        ) {
            let id = with_check_digit(&first12).unwrap();
            let digit = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10).unwrap()).unwrap();
            let typed: String = id.chars().zip(&between).map(|(c, sign)| format!("{}{sign}", digit(c))).collect();
            prop_assert_eq!(thai_tax_id(&typed), Ok(id.clone()));
            let branch: String = id.chars().take(5).zip(&between).map(|(c, sign)| format!("{sign}{}", digit(c))).collect();
            prop_assert_eq!(branch_code(&branch), Ok(id[..5].to_owned()));
        }

        #[test]
        fn any_text_is_answered(raw in any::<String>()) {
            let _ = (thai_tax_id(&raw), branch_code(&raw), with_check_digit(&raw));
        }
    }
}
