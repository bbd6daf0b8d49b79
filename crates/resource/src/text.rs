//! Folding, matching and sorting of text in any language, the same on both databases.

use std::borrow::Cow;
use std::sync::LazyLock;

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use unicode_normalization::char::{compose, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc, is_nfc_quick};

/// The longest gram of the index: three characters keep the lists of common pairs out of most queries.
const GRAM: usize = 3;

/// The most bytes of a [`sort_key`], so that an index entry fits a page of either database.
const SORT_KEY_BYTES: usize = 400;

/// The format of texts that people compare by eye (codes, numbers, e-mail addresses): with nothing [out of sight](is_visible), and kept in
/// [one form](identifier).
pub const VISIBLE: &str = "visible";

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
/// At its ends a part may cut what folds as one: one เ of the two that are a แ, marks that change places, or a letter and what is
/// composed with it, such as the ｶ of ｶﾞ.
pub fn fold_part(part: &str) -> String {
    let folded = fold(part);
    let cut = |c| matches!(c, 'เ' | 'แ') || is_combining_mark(c);
    let sure = folded.trim_start_matches(|c| cut(c) || composes_with_before(c)).trim_end_matches(cut);
    sure.strip_suffix(composes_with_after).unwrap_or(sure).to_owned()
}

/// Whether a character may become one with the character before it.
fn composes_with_before(c: char) -> bool {
    is_nfc_quick(std::iter::once(c)) == IsNormalized::Maybe
}

/// Whether a character of a folded text may become one with a character after it.
fn composes_with_after(c: char) -> bool {
    static SECONDS: LazyLock<Vec<char>> =
        LazyLock::new(|| ('\u{80}'..=char::MAX).filter(|&c| composes_with_before(c) && !is_ignored(c)).collect());
    !c.is_ascii() && SECONDS.iter().any(|&second| compose(c, second).is_some())
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

/// The longest folded text of which [`joined`] makes another: names and addresses, not descriptions.
const LONGEST_JOINED: usize = 400;

/// A folded text without the spaces between Thai letters, where it has some: Thai has no spaces between words, and people put them where
/// they like, as in `บริษัท สยามพัฒนา`.
pub fn joined(folded: &str) -> Option<String> {
    let is_thai = |c: char| matches!(c, '\u{e01}'..='\u{e4e}');
    if folded.chars().count() > LONGEST_JOINED {
        return None;
    }
    let mut out = String::with_capacity(folded.len());
    for word in folded.split(' ') {
        let between = out.ends_with(is_thai) && word.starts_with(is_thai);
        if !out.is_empty() && !between {
            out.push(' ');
        }
        out.push_str(word);
    }
    (out.len() < folded.len()).then_some(out)
}

/// A number that is written with signs between its digits, as it is typed without: `081-234 5678` as `0812345678`. None for anything else,
/// and for what is too short to be looked for so.
pub fn bare_number(s: &str) -> Option<String> {
    let sign = |c: char| matches!(c, ' ' | '\u{a0}' | '-' | '‐'..='–' | '.' | '/' | '(' | ')' | '+');
    let digits: String = s.chars().filter_map(ascii_digit).collect();
    let between = s.trim_matches(sign).contains(sign);
    (between && digits.len() >= 6 && s.chars().all(|c| sign(c) || ascii_digit(c).is_some())).then_some(digits)
}

/// The tokens under which a full text index lists a folded text, sorted and without duplicates.
///
/// Thai has no spaces between words, so every part of a run of letters must be found, not only its
/// beginning. Each position of a run gives the up to three characters that start there. A part of
/// three is then a token, and a part of one or two the beginning of one. A character is always four
/// of `[0-9a-z]`, the first of them a letter: no engine splits a token or takes it for a number,
/// and the beginning of a gram is the beginning of its token.
pub fn index_tokens(folded: &str) -> Vec<String> {
    let mut grams: Vec<&str> = folded.split(' ').flat_map(grams).collect();
    grams.sort_unstable();
    grams.dedup();
    grams.into_iter().map(encode).collect()
}

/// The conditions on the tokens of a text that contains every word of the query; none if the query
/// has no letters and no digits.
///
/// No text that [`matches`] is missed. A few others may pass, with the grams in other places: only as many grams of a word are asked for
/// as cover all its characters, because on both databases another gram costs more than reading the few texts it would leave out.
pub fn query_terms(q: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = fold(q)
        .split(' ')
        .flat_map(|word| {
            let grams: Vec<&str> = grams(word).collect();
            let prefix = grams.len() < GRAM;
            // A short word whole; of a longer one every third full gram, and the last.
            let full = grams.len().saturating_sub(GRAM - 1).max(1);
            let asked = grams.iter().take(full).step_by(GRAM).chain(grams.get(full - 1));
            asked.map(|gram| Term { token: encode(gram), prefix }).collect::<Vec<_>>()
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
pub fn ascii_digit(c: char) -> Option<char> {
    let zero = *ZEROS.get(ZEROS.partition_point(|&zero| zero <= c).checked_sub(1)?)?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// Whether all of a text is seen: no control characters, none that only steers how others are shown, and none that is blank but for the
/// space between words. A text of spaces alone is not seen either.
#[must_use]
pub fn is_visible(s: &str) -> bool {
    let unseen = |c: char| c != ' ' && (c.is_control() || is_invisible(c) || is_blank(c));
    !s.chars().any(unseen) && (s.is_empty() || !s.trim().is_empty())
}

/// Whether a text is one line: no control characters such as line breaks or escapes, and none that turns the direction of what follows.
/// Joiners and direction marks stay: Persian needs the zero-width non-joiner.
#[must_use]
pub fn is_line(s: &str) -> bool {
    !s.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202d}' | '\u{202e}'))
}

/// An identifier in its one form: compatibility characters such as full-width letters as the usual ones (NFKC), without spaces around it.
#[must_use]
pub fn identifier(s: &str) -> Cow<'_, str> {
    let trimmed = s.trim();
    if trimmed.is_ascii() { Cow::Borrowed(trimmed) } else { Cow::Owned(trimmed.nfkc().collect::<String>().trim().to_owned()) }
}

/// A text that identifies a person, such as a messenger name, as it is looked up: an identifier in lower case, without what is not seen.
#[must_use]
pub fn lookup_key(s: &str) -> String {
    let seen: String = s.chars().filter(|c| !c.is_control() && !is_invisible(*c)).map(|c| if is_blank(c) { ' ' } else { c }).collect();
    identifier(&seen).to_lowercase()
}

/// Whether a character is blank: spaces of every width, and letters that show nothing.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Whether a character only steers how others are shown: joiners, direction, soft hyphen, variants.
pub fn is_invisible(c: char) -> bool {
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
mod tests;
