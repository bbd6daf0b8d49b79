//! Folding, matching and sorting of text in any language, the same on both databases.

use std::borrow::Cow;
use std::sync::LazyLock;

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest gram of the index: three characters keep the lists of common pairs out of most queries.
const GRAM: usize = 3;

/// The most bytes of a [`sort_key`], so that an index entry fits a page of either database.
const SORT_KEY_BYTES: usize = 400;

/// One condition on the tokens of a text; a text is a candidate when all conditions hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The token, in the encoding of [`index_tokens`].
    pub token: String,
    /// Whether any token that starts with `token` will do, or only `token` itself.
    pub prefix: bool,
}

/// The text in NFC, the form everything is stored in.
pub fn nfc(s: &str) -> Cow<'_, str> {
    if s.is_ascii() || is_nfc(s) { Cow::Borrowed(s) } else { Cow::Owned(s.nfc().collect()) }
}

/// What of a part of a text stands in the folded text for sure, whatever stands before and after the part.
///
/// At its ends a part may cut what folds as one: one เ of the two that are a แ, or marks that change places.
pub fn fold_part(part: &str) -> String {
    fold(part).trim_matches(|c| matches!(c, 'เ' | 'แ') || thai_mark(c).is_some()).to_owned()
}

/// The text as it is searched: letters, marks and ASCII digits, one space between words.
///
/// What people type differently for the same word becomes the same: case, width, Latin accents,
/// the Arabic and Persian forms of a letter, harakat, digits of any script, Thai marks in either
/// order. ZWNJ is removed, not turned into a space: "می‌روم" and "میروم" are then one word, and the
/// query "می روم" finds both because each of its words is a part of that word.
pub fn fold(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    // Decomposed first, so that an accent is a character of its own and İ is an I with a dot.
    for c in s.nfkd().filter(|&c| !is_ignored(c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ħ' => out.push('h'),
            'ı' => out.push('i'),
            'ł' => out.push('l'),
            'ŧ' => out.push('t'),
            'ς' => out.push('σ'),
            'ي' | 'ى' => out.push('ی'),
            'ك' => out.push('ک'),
            'ة' | 'ە' | 'ہ' => out.push('ه'),
            'ٱ' => out.push('ا'),
            // Two เ look the same as one แ and are often typed for it.
            'เ' if out.ends_with('เ') => {
                out.pop();
                out.push('แ');
            }
            c if thai_mark(c).is_some() => push_thai_mark(&mut out, c),
            c if c.is_alphanumeric() || is_combining_mark(c) => {
                out.push(ascii_digit(c).unwrap_or(c));
            }
            _ if out.is_empty() || out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    if is_nfc(&out) { out } else { out.nfc().collect() }
}

/// The tokens under which a full text index lists the text, sorted and without duplicates.
///
/// Thai has no spaces between words, so every part of a run of letters must be found, not only its
/// beginning. Each position of a run gives the up to three characters that start there. A part of
/// three is then a token, and a part of one or two the beginning of one. A character is always four
/// of `[0-9a-z]`, the first of them a letter: no engine splits a token or takes it for a number,
/// and the beginning of a gram is the beginning of its token.
pub fn index_tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut grams: Vec<&str> = folded.split(' ').flat_map(grams).collect();
    grams.sort_unstable();
    grams.dedup();
    grams.into_iter().map(encode).collect()
}

/// The conditions on the tokens of a text that contains every word of the query; none if the query
/// has no letters and no digits.
///
/// No text that [`matches`] is missed. A few others may pass, with the right grams in other places.
pub fn query_terms(q: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = fold(q)
        .split(' ')
        .flat_map(|word| {
            let prefix = word.chars().nth(GRAM - 1).is_none();
            grams(word)
                .enumerate()
                // Of a short word the whole, of a longer one only the full grams.
                .filter(move |(i, gram)| if prefix { *i == 0 } else { gram.chars().count() == GRAM })
                .map(move |(_, gram)| Term { token: encode(gram), prefix })
        })
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Whether every word of the query is a part of the text, the exact check behind [`query_terms`].
///
/// Both must be folded.
pub fn matches(folded_text: &str, folded_query: &str) -> bool {
    folded_query.split(' ').all(|word| folded_text.contains(word))
}

/// A key whose byte order is the order of the texts in the Unicode collation.
///
/// Compared by letter, then by accent, then by case. Keys of another version of `icu_collator` do
/// not compare with these: after an update the stored ones must be written anew.
pub fn sort_key(s: &str) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "the data of the root collation is compiled in")]
    static COLLATOR: LazyLock<CollatorBorrowed<'static>> =
        LazyLock::new(|| Collator::try_new(CollatorPreferences::default(), CollatorOptions::default()).expect("root collation"));
    // A character is at least one byte of the key, so the rest would be cut off anyway.
    let end = s.char_indices().nth(SORT_KEY_BYTES).map_or(s.len(), |(end, _)| end);
    let mut key = Vec::with_capacity(SORT_KEY_BYTES);
    let Ok(()) = COLLATOR.write_sort_key_to(&s[..end], &mut key);
    key.truncate(SORT_KEY_BYTES);
    key.shrink_to_fit();
    key
}

/// The ASCII digit with the value of a decimal digit of any script.
pub(crate) fn ascii_digit(c: char) -> Option<char> {
    let zero = *ZEROS.get(ZEROS.partition_point(|&zero| zero <= c).checked_sub(1)?)?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// Whether a character only steers how others are shown: joiners, direction, soft hyphen, variants.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether searching passes over a character: accents, harakat, tatweel and what is invisible.
fn is_ignored(c: char) -> bool {
    is_invisible(c)
        || matches!(c,
            // Accents and enclosing signs of the European scripts.
            '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
            // Arabic; the hamza and madda above a letter are among them once it is decomposed.
            | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}'
            | '\u{6ea}'..='\u{6ed}' | '\u{897}'..='\u{89f}' | '\u{8ca}'..='\u{8e1}'
            | '\u{8e3}'..='\u{8ff}')
}

/// The place of a Thai mark after its consonant: vowel, tone, nikhahit.
fn thai_mark(c: char) -> Option<u8> {
    match c {
        '\u{e31}' | '\u{e34}'..='\u{e39}' | '\u{e47}' => Some(0),
        '\u{e48}'..='\u{e4c}' => Some(1),
        '\u{e4d}' => Some(2),
        _ => None,
    }
}

/// Appends a Thai mark, before the one it was typed after if the two look the same either way.
///
/// Unicode gives most of them no order of their own. The most common case is the vowel of น้ำ,
/// whose decomposition puts the nikhahit after the tone, where many type it before.
fn push_thai_mark(out: &mut String, mark: char) {
    let mut before = out.chars().rev();
    match (before.next(), before.next()) {
        (Some(last), Some('ก'..='ฮ')) if thai_mark(last) > thai_mark(mark) => {
            out.pop();
            out.extend([mark, last]);
        }
        _ => out.push(mark),
    }
}

/// From each character of the word, the up to three characters that start there.
fn grams(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().map(|(start, _)| {
        let rest = &word[start..];
        let end = rest.char_indices().nth(GRAM).map_or(rest.len(), |(end, _)| end);
        &rest[..end]
    })
}

/// Each character as four digits to the base 36, the first of them counted from `a`.
///
/// Fixed width keeps the order and the beginnings of grams, and 24 × 36³ covers all of Unicode.
fn encode(gram: &str) -> String {
    let digits = |c| {
        let n = u32::from(c);
        [10 + n / 46_656, n / 1_296 % 36, n / 36 % 36, n % 36]
    };
    gram.chars().flat_map(digits).filter_map(|digit| char::from_digit(digit, 36)).collect()
}

/// The zeros of all scripts (Unicode 17, category Nd); the digits 1 to 9 follow each.
#[rustfmt::skip]
const ZEROS: &[char] = &[
    '\u{30}', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}',
    '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}',
    '\u{f20}', '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}',
    '\u{1a90}', '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}',
    '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{ff10}', '\u{104a0}', '\u{10d30}',
    '\u{10d40}', '\u{11066}', '\u{110f0}', '\u{11136}', '\u{111d0}', '\u{112f0}', '\u{11450}',
    '\u{114d0}', '\u{11650}', '\u{116c0}', '\u{116d0}', '\u{116da}', '\u{11730}', '\u{118e0}',
    '\u{11950}', '\u{11bf0}', '\u{11c50}', '\u{11d50}', '\u{11da0}', '\u{11de0}', '\u{11f50}',
    '\u{16130}', '\u{16a60}', '\u{16ac0}', '\u{16b50}', '\u{16d70}', '\u{1ccf0}', '\u{1d7ce}',
    '\u{1d7d8}', '\u{1d7e2}', '\u{1d7ec}', '\u{1d7f6}', '\u{1e140}', '\u{1e2f0}', '\u{1e4f0}',
    '\u{1e5f1}', '\u{1e950}', '\u{1fbf0}',
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Thai, Persian, Latin and digits, with the marks and signs that make them difficult.
    fn mixed() -> impl Strategy<Value = String> {
        proptest::string::string_regex(
            "([ก-ฮะ-ฺเ-๎๐-๙]{0,6}[آ-ی\u{64b}-\u{655}۰-۹\u{200c}]{0,5}[ .]?[A-Za-zÀ-ɏ\u{300}-\u{308}0-9]{0,5}[ -]?\\PC{0,2}){0,4}",
        )
        .unwrap()
    }

    /// The character as somebody else types it: another keyboard's letter or digit, the other case, decomposed, or with a joiner or
    /// a tatweel after it.
    fn as_others_type(c: char) -> String {
        match c {
            'ی' => "ي".to_owned(),
            'ک' => "ك".to_owned(),
            'ه' => "ة".to_owned(),
            'ا' => "آ".to_owned(),
            'แ' => "เเ".to_owned(),
            '0'..='9' => char::from_u32(u32::from(c) - u32::from('0') + u32::from('๐')).unwrap().to_string(),
            '๐'..='๙' => char::from_u32(u32::from(c) - u32::from('๐') + u32::from('۰')).unwrap().to_string(),
            'آ'..='ۓ' => format!("{c}\u{640}\u{200c}"),
            'a'..='z' => c.to_uppercase().to_string(),
            c => c.to_string().nfd().collect(),
        }
    }

    fn is_candidate(text: &str, query: &str) -> bool {
        let tokens = index_tokens(text);
        query_terms(query)
            .iter()
            .all(|term| tokens.iter().any(|token| if term.prefix { token.starts_with(&term.token) } else { *token == term.token }))
    }

    fn found(text: &str, query: &str) -> bool {
        let found = matches(&fold(text), &fold(query));
        assert!(!found || is_candidate(text, query), "{query} is a part of {text} but not in its index");
        found
    }

    fn sorted<const N: usize>(mut texts: [&str; N]) -> [&str; N] {
        texts.sort_by_key(|text| sort_key(text));
        texts
    }

    #[test]
    fn text_is_stored_composed_and_copied_only_when_it_changes() {
        assert_eq!(nfc("e\u{301}"), "é");
        assert!(matches!(nfc("สวัสดี café"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_typed_differently_folds_to_the_same() {
        for (typed, folded) in [
            ("  Crème—BRÛLÉE!  ", "creme brulee"),
            ("Ærøskøbing Łódź Straße Þór Đà Nẵng", "aeroskobing lodz strasse thor da nang"),
            ("İstanbul Isparta ıspanak", "istanbul isparta ispanak"),
            ("ﬁ Ａｂｃ №", "fi abc no"),
            ("علي كريم", "علی کریم"),
            ("أحمد إيران آب ٱلله مؤمن رئيس مدرسة", "احمد ایران اب الله مومن رییس مدرسه"),
            ("مُحَمَّـــد", "محمد"),
            ("خانهٔ خانۀ", "خانه خانه"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("\u{200f}سلام\u{202c}", "سلام"),
            ("๑๒๓ ۴۵۶ ٧٨٩ ０ 𝟙", "123 456 789 0 1"),
            ("น้ำ น\u{e4d}\u{e49}า", "น\u{e49}\u{e4d}า น\u{e49}\u{e4d}า"),
            ("เเม่ ท\u{e48}\u{e35}", "แม่ ที่"),
            ("ก่ก้ก๊ก๋ ป้า ปา", "ก่ก้ก๊ก๋ ป้า ปา"),
            ("한국 가", "한국 가"),
            ("👍🏽 1\u{fe0f}\u{20e3}", "1"),
            ("\u{301} … ?", ""),
        ] {
            assert_eq!(fold(typed), folded, "{typed}");
        }
    }

    #[test]
    fn a_thai_name_is_found_without_word_spaces() {
        assert!(found("บริษัทสมชายการค้าจำกัด", "สมชาย"));
        assert!(found("บริษัทสมชายการค้าจำกัด", "จำกัด สมชาย"));
        assert!(!found("บริษัทสมชายการค้าจำกัด", "สมหญิง"));
    }

    #[test]
    fn a_query_of_one_character_finds_it_anywhere() {
        for query in ["ส", "มช", "ด", "ัด"] {
            assert!(found("บริษัทสมชายจำกัด", query), "{query}");
        }
        assert!(found("x2 ก", "ก") && found("𠮷野家", "𠮷") && !found("สมชาย", "ก"));
    }

    #[test]
    fn a_persian_name_is_found_in_every_way_of_typing_it() {
        for query in ["علی\u{200c}پور", "عليپور", "علی پور", "پور"] {
            assert!(found("شرکت علی\u{200c}پور ۱۲", query), "{query}");
        }
        assert!(found("شرکت ۱۲۳", "123"));
    }

    #[test]
    fn a_part_that_cuts_a_character_of_two_is_still_found() {
        for (text, part) in [("เเม่", "เม่"), ("เเม่", "เ"), ("xเเ", "xเ"), ("ท\u{e48}\u{e35}", "ท\u{e48}"), ("น้ำ", "ำ")]
        {
            assert!(text.contains(part) && found(text, &fold_part(part)), "{part} of {text}");
        }
    }

    #[test]
    fn a_query_of_signs_has_no_terms() {
        assert!(query_terms(" -!? ").is_empty() && index_tokens("…").is_empty());
    }

    #[test]
    fn tokens_are_the_grams_of_each_word_once() {
        assert_eq!(index_tokens("ABAB 1 ab a"), ["1", "a", "ab", "aba", "b", "bab"].map(encode));
    }

    #[test]
    fn the_encoding_has_four_letters_and_digits_for_every_character() {
        assert_eq!(encode("a1ก"), "a02pa01da2rl");
        let codes: HashSet<String> = ('\0'..=char::MAX).map(|c| encode(c.encode_utf8(&mut [0; 4]))).collect();
        assert_eq!(codes.len(), ('\0'..=char::MAX).count());
        assert!(codes.iter().all(|code| code.len() == 4 && code.starts_with(|c: char| c.is_ascii_lowercase())));
    }

    #[test]
    fn thai_sorts_by_the_consonant_under_a_leading_vowel() {
        assert_eq!(sorted(["ขา", "ไก่", "กา", "เขา", "แก", "คน"]), ["กา", "แก", "ไก่", "ขา", "เขา", "คน"]);
    }

    #[test]
    fn latin_sorts_by_letter_then_accent_then_case() {
        assert_eq!(
            sorted(["zoo", "Eclair", "éclair", "eclair", "Zoo", "ecru", "apple"]),
            ["apple", "eclair", "Eclair", "éclair", "ecru", "zoo", "Zoo"]
        );
    }

    #[test]
    fn persian_sorts_by_its_alphabet_and_digits_by_value_before_letters() {
        assert_eq!(sorted(["گل", "پدر", "بابا", "چای", "کتاب", "آب"]), ["آب", "بابا", "پدر", "چای", "کتاب", "گل"]);
        assert_eq!(sorted(["a", "๒", "3", "۱", "ก"]), ["۱", "๒", "3", "a", "ก"]);
    }

    #[test]
    fn a_long_text_sorts_by_its_beginning() {
        let long = |end: &str| sort_key(&("ก".repeat(100) + end + &"x".repeat(9000)));
        assert!(long("ก") < long("ข") && long("ก").len() == SORT_KEY_BYTES);
    }

    proptest! {
        #[test]
        fn every_decimal_digit_has_an_ascii_digit(digit in "\\d") {
            let folded = fold(&digit);
            prop_assert!(folded.len() == 1 && folded.as_bytes()[0].is_ascii_digit());
            prop_assert_eq!(ascii_digit(digit.chars().next().unwrap()), folded.chars().next());
        }

        #[test]
        fn folding_twice_changes_nothing(text in prop_oneof![mixed(), any::<String>()]) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn what_is_typed_differently_for_the_same_folds_the_same(text in mixed(), places in proptest::collection::vec(any::<bool>(), 128)) {
            let typed: String = text.nfc().zip(places.iter().cycle()).map(|(c, &otherwise)| if otherwise { as_others_type(c) } else { c.to_string() }).collect();
            prop_assert_eq!(fold(&typed), fold(&text), "{}", typed);
        }

        #[test]
        fn every_part_of_any_text_is_a_candidate(text in prop_oneof![mixed(), any::<String>()], at in any::<prop::sample::Index>(), len in 1..9_usize) {
            let letters: Vec<char> = nfc(&text).chars().collect();
            prop_assume!(!letters.is_empty());
            let part: String = letters.iter().skip(at.index(letters.len())).take(len).collect();
            let sure = fold_part(&part);
            prop_assert!(sure.is_empty() || found(&text, &sure), "{:?} of {:?}", part, text);
        }

        #[test]
        fn every_part_of_a_word_is_found(text in mixed(), at in any::<prop::sample::Index>(), len in 1..9_usize) {
            let folded: Vec<char> = fold(&text).chars().collect();
            prop_assume!(!folded.is_empty());
            let part: String = folded.iter().skip(at.index(folded.len())).take(len).collect();
            prop_assert!(found(&text, &part));
        }

        #[test]
        fn every_part_of_a_thai_text_is_a_candidate(text in "[กขมเแ ัิีึุ่้ำa]{1,10}", at in any::<prop::sample::Index>(), len in 1..6_usize) {
            let letters: Vec<char> = nfc(&text).chars().collect();
            let part: String = letters.iter().skip(at.index(letters.len())).take(len).collect();
            let sure = fold_part(&part);
            prop_assert!(sure.is_empty() || found(&text, &sure), "{part} of {text}");
        }

        #[test]
        fn sort_keys_are_short_and_the_same_however_text_is_composed(text in mixed()) {
            let key = sort_key(&text.nfd().collect::<String>());
            prop_assert!(key.len() <= SORT_KEY_BYTES);
            prop_assert_eq!(key, sort_key(&nfc(&text)));
        }
    }
}
