//! Phone numbers in every way of typing them, to one form that can be compared.

use phonenumber::country;
use phonenumber::metadata::DATABASE;

use samphan_resource::text::ascii_digit;

/// The most digits worth reading: E.164 has 15, and prefixes to dial abroad come before them.
const MAX_DIGITS: usize = 24;

/// A number that exists in the numbering plan of its country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// `+`, country calling code and national number, without the extension.
    pub e164: String,
    /// The ISO 3166 code of the country; none for numbers of the whole world such as +800.
    pub country: Option<String>,
}

/// Reads a number as someone in the region (ISO 3166 code) would dial it.
///
/// None if no such number can exist; [`digits`] then still serves to compare it.
pub fn parse(raw: &str, region: &str) -> Option<Phone> {
    let typed = typed(raw);
    let region = region.to_ascii_uppercase().parse().ok();
    // "02-123-4567/8" means two lines, 4567 and 4568; but a slash also stands between groups.
    let first_line = typed.rsplit_once('/').map(|(line, _)| line);
    [Some(typed.as_str()), first_line].into_iter().flatten().find_map(|typed| read(typed, region))
}

/// The digits of a number in ASCII, without the extension.
pub fn digits(raw: &str) -> String {
    typed(raw).chars().filter(char::is_ascii_digit).collect()
}

/// The `+`, digits and slashes of a number, up to the extension, without a label in front.
fn typed(raw: &str) -> String {
    let mut typed = String::new();
    for c in raw.chars() {
        let begun = typed.ends_with(|c| c != '+');
        match ascii_digit(c).unwrap_or(c) {
            digit @ '0'..='9' => typed.push(digit),
            '+' | '＋' if typed.is_empty() => typed.push('+'),
            // "+66 (0)81": the zero is dialled only within the country.
            ')' if ["+", "00"].iter().any(|abroad| typed.starts_with(abroad)) && typed.ends_with("(0") => {
                typed.truncate(typed.len() - 2);
            }
            kept @ ('(' | '/') if begun => typed.push(kept),
            // "ext", "x", "ต่อ", "داخلی", "#", a pause or the next number.
            end if begun && (end.is_alphabetic() || "+#,;~\n".contains(end)) => break,
            _ => {}
        }
    }
    typed.replace('(', "")
}

/// The number if it exists, read first as one with a country calling code.
fn read(typed: &str, region: Option<country::Id>) -> Option<Phone> {
    let number = typed.replace('/', "");
    if number.len() > MAX_DIGITS {
        return None;
    }
    let abroad = number.strip_prefix('+').or_else(|| number.strip_prefix("00"));
    let abroad = abroad.and_then(|number| {
        let number = format!("+{number}");
        // The crate cuts off the trunk prefix of the given region, and even an 8 that belongs to
        // the number itself ("+7 800"). So first a region that has none, and then no region.
        existing(Some(country::SG), &number).or_else(|| existing(None, &number))
    });
    abroad.or_else(|| existing(Some(region?), &number))
}

fn existing(region: Option<country::Id>, number: &str) -> Option<Phone> {
    let number = phonenumber::parse(region, number).ok().filter(phonenumber::is_valid)?;
    let code = number.country().code();
    // The crate misses the country where a national number starts with 0, as in Rome; then it is
    // the first of those that share the code. "001" stands for the world.
    let country = match number.country().id() {
        Some(id) => Some(id.as_ref().to_owned()),
        None => DATABASE.region(&code)?.first().filter(|id| id.len() == 2).map(|&id| id.to_owned()),
    };
    Some(Phone { e164: format!("+{code}{}", number.national()), country })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn all_are(typed: &[&str], region: &str, e164: &str, country: &str) {
        for raw in typed {
            let phone = Phone { e164: e164.to_owned(), country: Some(country.to_owned()) };
            assert_eq!(parse(raw, region), Some(phone), "{raw}");
        }
    }

    #[test]
    fn a_thai_mobile_number_is_the_same_in_every_way_of_typing_it() {
        let typed = [
            "0812345678",
            "081-234-5678",
            "081 234 5678",
            "081.234.5678",
            "(081) 234-5678",
            "08-1234-5678",
            "๐๘๑-๒๓๔-๕๖๗๘",
            "๐๘๑ ๒๓๔ ๕๖๗๘",
            "۰۸۱۲۳۴۵۶۷۸",
            "０８１２３４５６７８",
            "081–234–5678",
            "+66812345678",
            "+66 81 234 5678",
            "+66 (0)81 234 5678",
            "+66 ( 0 ) 81-234-5678",
            "(+66) 81-234-5678",
            "+66 081 234 5678",
            "＋66 81 234 5678",
            "+๖๖ ๘๑ ๒๓๔ ๕๖๗๘",
            "0066 81 234 5678",
            "00 66 (0)81 234 5678",
            "66812345678",
            "tel:0812345678",
            "tel:+66-81-234-5678",
            "TEL:+66812345678;ext=12",
            "โทร. 081-234-5678",
            "มือถือ: 081 234 5678",
            "081-234-5678 ext 12",
            "081-234-5678 ext. 12",
            "081-234-5678x12",
            "081-234-5678 #12",
            "081-234-5678 ต่อ 12",
            "081-234-5678, 089-999-9999",
            "+66812345678 +66899999999",
            "\u{200e}+66 81 234 5678\u{202c}",
            "081-234-5678 (คุณสมชาย)",
        ];
        all_are(&typed, "TH", "+66812345678", "TH");
        for raw in typed {
            let digits = digits(raw);
            assert!(["0812345678", "66812345678", "660812345678", "0066812345678"].contains(&digits.as_str()), "{raw}: {digits}");
        }
    }

    #[test]
    fn a_thai_landline_number_is_the_same_in_every_way_of_typing_it() {
        let typed = [
            "02-123-4567",
            "021234567",
            "0 2123 4567",
            "(02) 123-4567",
            "02.123.4567",
            "๐๒-๑๒๓-๔๕๖๗",
            "+66 2 123 4567",
            "+66 (0)2 123 4567",
            "+66(0)2-123-4567 ext. 12",
            "0066 2 123 4567",
            "6621234567",
            "tel:02-123-4567",
            "02-123-4567 ต่อ 12",
            "02-123-4567/8",
            "02/123/4567",
            "02-123-4567~9",
        ];
        all_are(&typed, "th", "+6621234567", "TH");
    }

    #[test]
    fn numbers_of_other_countries_are_read_in_their_region_and_from_abroad() {
        all_are(&["۰۹۱۲ ۳۴۵ ۶۷۸۹", "٠٩١٢٣٤٥٦٧٨٩", "0912-345-6789", "۰۹۱۲۳۴۵۶۷۸۹ داخلی ۱۲"], "IR", "+989123456789", "IR");
        all_are(&["030 / 1234567", "(030) 1234567", "+49 (0)30 1234567", "0049 30 1234567"], "DE", "+49301234567", "DE");
        all_are(&["(650) 253-0000", "650.253.0000 x123", "1-650-253-0000", "011 1 650 253 0000"], "US", "+16502530000", "US");
        for region in ["TH", "US", "RU", "", "nowhere"] {
            all_are(&["+98 912 345 6789", "+۹۸ ۹۱۲ ۳۴۵ ۶۷۸۹", "0098 912 345 6789"], region, "+989123456789", "IR");
            all_are(&["+49 30 1234567"], region, "+49301234567", "DE");
            all_are(&["+7 800 123 45 67"], region, "+78001234567", "RU");
            all_are(&["+39 06 1234 5678", "0039 06 12345678"], region, "+390612345678", "IT");
        }
        all_are(&["001 1 650 253 0000"], "TH", "+16502530000", "US");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for raw in ["", "+", "(0)", "12", "99/1 หมู่ 5", "สมชาย", "081-234-567", "+66 81 234 56789", &"1".repeat(1000)] {
            assert_eq!(parse(raw, "TH"), None, "{raw}");
        }
        assert_eq!(parse("0812345678", "nowhere"), None);
    }

    #[test]
    fn digits_serve_where_no_plan_has_the_number() {
        assert_eq!(digits("โทร. ๑๒๓-๔๕ ต่อ ๙"), "12345");
        assert_eq!(digits("no number"), "");
    }

    proptest! {
        #[test]
        fn what_stands_between_digits_and_their_script_change_nothing(
            number in "(0|\\+66|0066)(8[0-9]{8}|2[0-9]{7}|53[0-9]{6})",
            between in proptest::collection::vec("[ .\u{a0}\u{200e}–-]?", 16),
            zero in prop::sample::select(vec!['0', '๐', '۰', '٠', '０']),
        ) {
            let digit = |c: char| c.to_digit(10).map_or(c, |n| char::from_u32(u32::from(zero) + n).unwrap());
            let typed: String = number.chars().zip(&between).map(|(c, sign)| format!("{}{sign}", digit(c))).collect();
            prop_assert_eq!(parse(&typed, "TH"), parse(&number, "TH"), "{}", typed);
            prop_assert_eq!(digits(&typed), digits(&number));
        }

        #[test]
        fn any_text_in_any_region_is_answered(
            raw in prop_oneof![any::<String>(), "[+０(]{0,2}\\d{0,20}", "[+0-9()/x#;=. -]{0,24}"],
            region in "[A-Z]{2}",
        ) {
            for phone in [parse(&raw, &region), parse(&raw, "TH")].into_iter().flatten() {
                prop_assert!(phone.e164.starts_with('+') && (5..=19).contains(&phone.e164.len()));
                prop_assert_eq!(parse(&phone.e164, &region), Some(phone), "the one form is read as itself, anywhere");
            }
            prop_assert!(digits(&raw).bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
