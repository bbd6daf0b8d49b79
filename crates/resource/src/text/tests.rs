//! Folding, matching and sorting, by examples and by what holds of any text.

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

/// The character as typed in another way: another keyboard's letter or digit, the other case, decomposed, or with a joiner or
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
    let tokens = index_tokens(&fold(text));
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
    for (text, part, sure) in [
        ("เเม่", "เม่", "ม"),
        ("เเม่", "เ", ""),
        ("xเเ", "xเ", "x"),
        ("ท\u{e48}\u{e35}", "ท\u{e48}", "ท"),
        ("น้ำ", "ำ", "า"),
        ("ﾒｶﾞﾈ", "ﾒｶ", "メ"),
        ("ﾒｶﾞﾈ", "ﾞﾈ", "ネ"),
        ("xㄱㅏ", "xㄱ", "x"),
        ("한가", "한가", "한"),
        ("café", "cafe", "cafe"),
        ("Здравей", "Здраве", "здраве"),
    ] {
        assert_eq!(fold_part(part), sure, "{part}");
        assert!(sure.is_empty() || found(text, sure), "{part} of {text}");
    }
}

#[test]
fn terms_cover_the_word() {
    for (word, grams) in
        [("abcdefgh", vec!["abc", "def", "fgh"]), ("abcdef", vec!["abc", "def"]), ("abcd", vec!["abc", "bcd"]), ("ab", vec!["ab"])]
    {
        let asked: Vec<String> = query_terms(word).into_iter().map(|t| t.token).collect();
        assert_eq!(asked, grams.into_iter().map(encode).collect::<Vec<_>>());
    }
}

#[test]
fn a_query_of_signs_has_no_terms() {
    assert!(query_terms(" -!? ").is_empty() && index_tokens(&fold("…")).is_empty());
}

#[test]
fn a_number_is_bare_without_the_signs_between_its_digits() {
    for (written, bare) in [
        ("081-234 5678", Some("0812345678")),
        ("(02) 123.4567", Some("021234567")),
        ("๐๘๑–๒๓๔–๕๖๗๘", Some("0812345678")),
        ("+66812345678", None),
        ("0812345678", None),
        ("12-34", None),
        ("SO-000025", None),
        ("081 234 5678 ต่อ 12", None),
        ("--", None),
    ] {
        assert_eq!(bare_number(written).as_deref(), bare, "{written}");
    }
}

#[test]
fn tokens_are_the_grams_of_each_word_once() {
    assert_eq!(index_tokens("abab 1 ab a"), ["1", "a", "ab", "aba", "b", "bab"].map(encode));
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
        // Of three เ the first two are the แ, so one that stands before a แ has no other way of typing it.
        prop_assume!(!fold(&text).contains("เแ"));
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
    fn every_part_of_what_folds_together_is_a_candidate(text in prop_oneof!["[กขมเแ ัิีึุ่้ำa]{1,10}", "[ｶﾊﾞﾟカガㄱㅏㄴ가각কো\u{9c7}\u{9be}\u{93c}क\u{3099}a ]{1,8}"], at in any::<prop::sample::Index>(), len in 1..6_usize) {
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

#[test]
fn joined_thai_text_has_no_spaces_between_its_words_and_others_keep_theirs() {
    assert_eq!(joined(&fold("บริษัท สยามพัฒนา จำกัด")).as_deref(), Some(fold("บริษัทสยามพัฒนาจำกัด").as_str()));
    assert_eq!(joined(&fold("ร้าน ABC สยาม")), None);
    assert_eq!(joined(&fold("Siam Trading")), None);
    assert_eq!(joined(""), None);
}

#[test]
fn identifiers_have_one_form_and_nothing_blank() {
    for (typed, kept) in [("AB-1", "AB-1"), (" AB-1  ", "AB-1"), ("ＡＢ－１", "AB-1"), ("ชา-١", "ชา-١"), ("e\u{301}", "é")] {
        assert_eq!(identifier(typed), kept);
    }
    for unseen in ["AB\u{a0}-1", "AB\u{3164}-1", "AB\u{2800}-1", "AB\u{200b}-1", "AB\u{3000}1", "AB\u{ffa0}", " ", "   ", "a\tb"] {
        assert!(!is_visible(unseen), "{unseen:?}");
    }
    assert!(is_visible("AB 1") && is_visible(" AB-1 ") && is_visible(""));
}

#[test]
fn a_line_has_no_control_characters_and_keeps_persian_joiners() {
    for bad in ["a\nb", "a\tb", "\u{1b}[31m", "\u{7}", "\u{202e}txet", "a\u{2028}b", "\u{85}"] {
        assert!(!is_line(bad), "{bad:?}");
    }
    assert!(is_line("می\u{200c}روم") && is_line("\u{200f}علی") && is_line("👩\u{200d}👧"));
}

#[test]
fn lookup_keys_ignore_what_is_not_seen() {
    assert_eq!(lookup_key("\u{200e} Somying\u{200b}"), "somying");
    assert_eq!(lookup_key("ＬＩＮＥ\u{a0}id"), "line id");
}
